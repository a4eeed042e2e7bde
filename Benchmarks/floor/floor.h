/* The floor: the least any worker with processes can do, so that a host can be compared with the machine it runs on.
 * One thread takes messages, hands them to children, records results, acknowledges. No decoding, no limits. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H
#include "link.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct work {
    struct work *next;
    uint64_t tag;
    size_t id_length, body_length;
    char id[64];
    char *body;
} work;

typedef struct {
    const char *url, *queue, *tally, *redis; /* redis: "host:port", NULL: no results */
    int children, in_flight;                 /* in_flight: messages a pool's child is given at once */
} floor_settings;

/* ---- taking ---- */
int taking_open(const floor_settings *settings); /* the socket to wait on */
void taking_pump(void);                          /* takes all that has arrived */
work *taking_next(void);                         /* the oldest message that waits, or NULL */
bool taking_stopped(void);                       /* SIGTERM came */
amqp_connection_state_t taking_link(void);       /* acknowledgements go back the way messages came */
void taking_close(void);

/* ---- settling ---- */
void settling_open(const floor_settings *settings);
void settling_done(work *done); /* takes the message over */
void settling_flush(void);      /* at the end of a turn: awaits the results, then acknowledges */

/* ---- children ---- */
void run_pool(const floor_settings *settings);   /* reused children */
void run_zygote(const floor_settings *settings); /* a fork for each message */

void write_all(int descriptor, const void *bytes, size_t length);
#endif
