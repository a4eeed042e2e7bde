#include "floor.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define PREFETCH 256

static amqp_connection_state_t link;
static work *head, **tail = &head;
static volatile sig_atomic_t stopped;

static void on_stop(int number) {
    (void)number;
    stopped = 1;
}

bool taking_stopped(void) { return stopped != 0; }

amqp_connection_state_t taking_link(void) { return link; }


int taking_open(const floor_settings *settings) {
    struct sigaction action = {.sa_handler = on_stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    link = link_open(settings->url);
    amqp_basic_qos(link, BENCH_CHANNEL, 0, PREFETCH, 0);
    link_check(link, "setting the prefetch count");
    amqp_basic_consume(link, BENCH_CHANNEL, amqp_cstring_bytes(settings->queue), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    link_check(link, "consuming");
    return amqp_get_sockfd(link);
}

static void keep(amqp_envelope_t *envelope) {
    work *one = calloc(1, sizeof *one);
    if (one == NULL) give_up("out of memory");
    amqp_bytes_t id = envelope->message.properties.correlation_id;
    one->tag = envelope->delivery_tag;
    one->id_length = id.len < sizeof one->id ? id.len : sizeof one->id;
    memcpy(one->id, id.bytes, one->id_length);
    one->body_length = envelope->message.body.len;
    one->body = envelope->message.body.bytes;
    envelope->message.body = amqp_empty_bytes; /* taken over */
    *tail = one;
    tail = &one->next;
    amqp_destroy_envelope(envelope);
}

void taking_pump(void) {
    for (;;) {
        struct timeval at_once = {0, 0};
        amqp_envelope_t envelope;
        amqp_maybe_release_buffers(link);
        amqp_rpc_reply_t reply = amqp_consume_message(link, &envelope, &at_once, 0);
        if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
            keep(&envelope);
        } else if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_TIMEOUT) {
            return;
        } else {
            give_up("consuming: the connection was lost");
        }
    }
}

work *taking_next(void) {
    work *one = head;
    if (one != NULL) {
        head = one->next;
        if (head == NULL) tail = &head;
        one->next = NULL;
    }
    return one;
}

void taking_close(void) { link_close(link); }
