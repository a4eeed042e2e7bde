/*
 * crabbitmq - librabbitmq (rabbitmq-c 0.11 or later) as Swift sees it.
 *
 * Inline wrappers only for what Swift cannot call itself: variadic functions.
 */
#ifndef CRABBITMQ_H
#define CRABBITMQ_H
#include <stddef.h>
#include <stdint.h>
#include <sys/time.h> /* amqp.h needs struct timeval, but does not say so */

/* Since 0.12 the headers live in a folder of their own, and the old names warn. */
#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

/* Logs in with PLAIN. The properties are merged with the library's own, tables within them too. */
static inline amqp_rpc_reply_t crabbitmq_login(
    amqp_connection_state_t state, const char *vhost, int channel_max, int frame_max, int heartbeat,
    const amqp_table_t *client_properties, const char *user, const char *password) {
    return amqp_login_with_properties(
        state, vhost, channel_max, frame_max, heartbeat, client_properties, AMQP_SASL_METHOD_PLAIN, user, password);
}

#endif
