#include "link.h"

#include <amqp_tcp_socket.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void give_up(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

void link_check(amqp_connection_state_t link, const char *what) {
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(link);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        give_up("%s: %s", what, amqp_error_string2(reply.library_error));
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) give_up("%s: refused by the broker", what);
}

amqp_connection_state_t link_open(const char *url) {
    char *parts = strdup(url); /* stays: the parsed address points into it */
    struct amqp_connection_info address;
    amqp_default_connection_info(&address);
    if (parts == NULL || amqp_parse_url(parts, &address) != AMQP_STATUS_OK) give_up("not an AMQP URL: %s", url);
    amqp_connection_state_t link = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(link);
    if (socket == NULL) give_up("out of memory");
    int status = amqp_socket_open(socket, address.host, address.port);
    if (status != AMQP_STATUS_OK) give_up("connecting to %s:%d: %s", address.host, address.port, amqp_error_string2(status));
    amqp_rpc_reply_t reply = amqp_login(link, address.vhost, 0, AMQP_DEFAULT_FRAME_SIZE, 0, AMQP_SASL_METHOD_PLAIN,
                                        address.user, address.password);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) give_up("logging in as %s: refused", address.user);
    amqp_channel_open(link, BENCH_CHANNEL);
    link_check(link, "opening a channel");
    return link;
}

void link_close(amqp_connection_state_t link) {
    amqp_connection_close(link, AMQP_REPLY_SUCCESS);
    amqp_destroy_connection(link);
}
