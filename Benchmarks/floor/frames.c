/* What goes to RabbitMQ: acknowledgements and result messages. With `batch` they are written into one buffer and sent once
 * a turn; without, librabbitmq writes each. */
#include "floor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { METHOD = 1, HEADER = 2, BODY = 3, END = 0xce, BASIC = 60, PUBLISH = 40, ACK = 80 };

static amqp_connection_state_t link;
static bool gathers;
static char *out;
static size_t filled, room;

void frames_open(amqp_connection_state_t given, bool batch) {
    link = given;
    gathers = batch;
}

static void make_room(size_t more) {
    if (filled + more <= room) return;
    room = (filled + more) * 2;
    out = realloc(out, room);
    if (out == NULL) give_up("out of memory");
}

static void put(uint64_t value, int bytes) {
    while (bytes-- > 0) out[filled++] = (char)(value >> (8 * bytes));
}

static void put_text(const char *text, size_t length) {
    put(length, 1);
    memcpy(out + filled, text, length);
    filled += length;
}

/* A frame's length is known when it ends. */
static size_t begin(int kind) {
    put((uint64_t)kind, 1);
    put(BENCH_CHANNEL, 2);
    put(0, 4);
    return filled;
}

static void end(size_t start) {
    uint64_t length = filled - start;
    for (int i = 0; i < 4; i++) out[start - 4 + (size_t)i] = (char)(length >> (8 * (3 - i)));
    put(END, 1);
}

void frames_ack(uint64_t tag) {
    if (!gathers) {
        int status = amqp_basic_ack(link, BENCH_CHANNEL, tag, 0);
        if (status != AMQP_STATUS_OK) give_up("acknowledging: %s", amqp_error_string2(status));
        return;
    }
    make_room(32);
    size_t start = begin(METHOD);
    put(BASIC, 2);
    put(ACK, 2);
    put(tag, 8);
    put(0, 1);
    end(start);
}

static void publish_at_once(const char *queue, size_t queue_length, const work *about, const char *body, size_t length) {
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                  AMQP_BASIC_CORRELATION_ID_FLAG,
        .content_type = amqp_cstring_bytes("application/json"),
        .content_encoding = amqp_cstring_bytes("utf-8"),
        .delivery_mode = 1,
        .correlation_id = {about->id_length, (void *)(uintptr_t)about->id},
    };
    int status = amqp_basic_publish(link, BENCH_CHANNEL, amqp_empty_bytes,
                                    (amqp_bytes_t){queue_length, (void *)(uintptr_t)queue}, 0, 0, &properties,
                                    (amqp_bytes_t){length, (void *)(uintptr_t)body});
    if (status != AMQP_STATUS_OK) give_up("publishing a result: %s", amqp_error_string2(status));
}

void frames_publish(const char *queue, size_t queue_length, const work *about, const char *body, size_t length) {
    if (!gathers) {
        publish_at_once(queue, queue_length, about, body, length);
        return;
    }
    make_room(length + queue_length + 256);
    size_t start = begin(METHOD);
    put(BASIC, 2);
    put(PUBLISH, 2);
    put(0, 2);
    put_text("", 0);
    put_text(queue, queue_length);
    put(0, 1);
    end(start);
    start = begin(HEADER);
    put(BASIC, 2);
    put(0, 2);
    put(length, 8);
    put(0x8000 | 0x4000 | 0x1000 | 0x0400, 2); /* the four properties that follow */
    put_text("application/json", 16);
    put_text("utf-8", 5);
    put(1, 1);
    put_text(about->id, about->id_length);
    end(start);
    start = begin(BODY);
    memcpy(out + filled, body, length);
    filled += length;
    end(start);
}

void frames_flush(void) {
    for (size_t at = 0; at < filled;) {
        ssize_t sent = send(amqp_get_sockfd(link), out + at, filled - at, MSG_NOSIGNAL);
        if (sent > 0) {
            at += (size_t)sent;
        } else if (sent < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){amqp_get_sockfd(link), POLLOUT, 0}, 1, -1);
        } else if (sent == 0 || errno != EINTR) {
            give_up("writing to RabbitMQ: %m");
        }
    }
    filled = 0;
}
