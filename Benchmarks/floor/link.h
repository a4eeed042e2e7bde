/* What the floor programs share: the connection to RabbitMQ, and giving up with a reason. */
#ifndef BENCH_LINK_H
#define BENCH_LINK_H
#include <amqp.h>

#define BENCH_CHANNEL 1

__attribute__((noreturn, format(printf, 1, 2))) void give_up(const char *format, ...);

/* Logs in at an amqp:// URL and opens BENCH_CHANNEL. */
amqp_connection_state_t link_open(const char *url);
void link_close(amqp_connection_state_t link);

/* Ends the program when the last call on the link failed. */
void link_check(amqp_connection_state_t link, const char *what);
#endif
