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
    uint64_t tag; /* of RabbitMQ's delivery */
    size_t id_length, reply_length, body_length;
    char id[64], reply[256]; /* with Redis as broker the id is that of its delivery */
    char *body;
} work;

typedef struct {
    const char *url, *queue, *tally;
    const char *results; /* redis://host:port, rpc, or NULL: none */
    int children, in_flight, prefetch; /* in_flight: messages a pool's child is given at once */
    long nap_us;                       /* what a task sleeps */
    bool batch, stamps; /* batch: frames are gathered and written once a turn; stamps: tasks note when they start */
} floor_settings;

/* ---- taking: RabbitMQ or Redis, by the URL ---- */
typedef struct {
    int (*open)(const floor_settings *settings); /* the socket to wait on; -1: pump at every turn */
    void (*pump)(void);                          /* takes what has arrived: taking_add for each */
    void (*acknowledge)(const work *done);
    void (*flush)(void); /* at the end of a turn */
    void (*close)(void);
} source;
extern const source rabbitmq_source, redis_source;

void taking_open(const floor_settings *settings, int poll, uint64_t mark); /* mark: of its events in the epoll set */
void taking_turn(bool is_readable); /* at the begin of a turn */
work *taking_blank(void);
void taking_add(work *one);
work *taking_next(void);   /* the oldest message that waits, or NULL */
size_t taking_count(void); /* how many wait */
bool taking_stopped(void); /* SIGTERM came */
void taking_acknowledge(work *done);
void taking_flush(void);
void taking_close(void);

/* ---- settling ---- */
void settling_open(const floor_settings *settings);
void settling_done(work *done); /* takes the message over */
void settling_flush(void);      /* at the end of a turn: awaits the results, then acknowledges */

/* ---- frames to RabbitMQ, gathered or written at once ---- */
void frames_open(amqp_connection_state_t link, bool batch);
void frames_ack(uint64_t tag);
void frames_publish(const char *queue, size_t queue_length, const work *about, const char *body, size_t length);
void frames_flush(void);

/* ---- children ---- */
void run_pool(const floor_settings *settings);              /* reused children */
void run_forks(const floor_settings *settings, bool lanes); /* a fork for each message; lanes: a zygote for each child */

/* The task itself, in the child. */
bool begin_tasks(const floor_settings *settings);
void run_task(const floor_settings *settings, const char *body, size_t length);

void write_all(int descriptor, const void *bytes, size_t length);
#endif
