/* Messages of a queue of RabbitMQ, and their acknowledgements. */
#include "floor.h"

#include <string.h>
#include <sys/time.h>

static amqp_connection_state_t link;

static int open_link(const floor_settings *settings) {
    link = link_open(settings->url);
    frames_open(link, settings->batch);
    amqp_basic_qos(link, BENCH_CHANNEL, 0, (uint16_t)settings->prefetch, 0);
    link_check(link, "setting the prefetch count");
    amqp_basic_consume(link, BENCH_CHANNEL, amqp_cstring_bytes(settings->queue), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    link_check(link, "consuming");
    return amqp_get_sockfd(link);
}

static size_t copy(char *to, size_t room, amqp_bytes_t from) {
    size_t length = from.len < room ? from.len : room;
    memcpy(to, from.bytes, length);
    return length;
}

static void keep(amqp_envelope_t *envelope) {
    work *one = taking_blank();
    const amqp_basic_properties_t *properties = &envelope->message.properties;
    one->tag = envelope->delivery_tag;
    one->id_length = one->reply_length = 0;
    if (properties->_flags & AMQP_BASIC_CORRELATION_ID_FLAG)
        one->id_length = copy(one->id, sizeof one->id, properties->correlation_id);
    if (properties->_flags & AMQP_BASIC_REPLY_TO_FLAG)
        one->reply_length = copy(one->reply, sizeof one->reply - 1, properties->reply_to);
    one->body_length = envelope->message.body.len;
    one->body = envelope->message.body.bytes;
    envelope->message.body = amqp_empty_bytes; /* taken over */
    taking_add(one);
    amqp_destroy_envelope(envelope);
}

/* What is in the library's buffer is taken at once; whether more is in the socket, epoll tells. */
static void pump(void) {
    do {
        struct timeval at_once = {0, 0};
        amqp_envelope_t envelope;
        amqp_maybe_release_buffers(link);
        amqp_rpc_reply_t reply = amqp_consume_message(link, &envelope, &at_once, 0);
        if (reply.reply_type == AMQP_RESPONSE_NORMAL)
            keep(&envelope);
        else if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_TIMEOUT)
            return;
        else
            give_up("consuming: the connection was lost");
    } while (amqp_frames_enqueued(link) || amqp_data_in_buffer(link));
}

static void acknowledge(const work *done) { frames_ack(done->tag); }
static void close_link(void) { link_close(link); }

const source rabbitmq_source = {open_link, pump, acknowledge, frames_flush, close_link};
