/* preload URL QUEUE COUNT TASK ignore|keep [BYTES] - fills a queue with messages as a Celery 5 client sends them:
 * protocol 2, JSON, persistent, TASK(i, i + 1) or TASK("xxx…") of so many bytes, and waits until the broker has
 * confirmed every one.
 * `ignore` sets the header ignore_result. The queue must exist. */
#include "link.h"

#include <amqp_framing.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define EMBED "{\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}"
#define BATCH 500 /* messages between two waits for confirmations */

static amqp_table_entry_t fields[24];
static int field_count;

static amqp_field_value_t *field(const char *name, uint8_t kind) {
    amqp_table_entry_t *entry = &fields[field_count++];
    entry->key = amqp_cstring_bytes(name);
    entry->value.kind = kind;
    return &entry->value;
}

static void text_field(const char *name, const char *text) {
    field(name, AMQP_FIELD_KIND_UTF8)->value.bytes = amqp_cstring_bytes(text);
}

static void make_id(char id[37]) {
    uint8_t raw[16];
    if (getrandom(raw, sizeof raw, 0) != (ssize_t)sizeof raw) give_up("no random numbers");
    raw[6] = (uint8_t)((raw[6] & 0x0f) | 0x40);
    raw[8] = (uint8_t)((raw[8] & 0x3f) | 0x80);
    for (int i = 0, at = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) id[at++] = '-';
        at += snprintf(id + at, 3, "%02x", raw[i]);
    }
}

static void make_headers(const char *task, const char *id, const char *arguments, const char *origin, bool ignore) {
    static amqp_field_value_t limits[2] = {{.kind = AMQP_FIELD_KIND_VOID}, {.kind = AMQP_FIELD_KIND_VOID}};
    static const char *const nulls[] = {"shadow", "eta", "expires", "group", "group_index", "parent_id",
                                        "stamped_headers"};
    field_count = 0;
    text_field("lang", "py");
    text_field("task", task);
    text_field("id", id);
    text_field("root_id", id);
    text_field("argsrepr", arguments);
    text_field("kwargsrepr", "{}");
    text_field("origin", origin);
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) field(nulls[i], AMQP_FIELD_KIND_VOID);
    field("retries", AMQP_FIELD_KIND_I32)->value.i32 = 0;
    field("replaced_task_nesting", AMQP_FIELD_KIND_I32)->value.i32 = 0;
    field("timelimit", AMQP_FIELD_KIND_ARRAY)->value.array = (amqp_array_t){2, limits};
    field("ignore_result", AMQP_FIELD_KIND_BOOLEAN)->value.boolean = ignore;
    field("stamps", AMQP_FIELD_KIND_TABLE)->value.table = amqp_empty_table;
}

/* Confirmations come for one message or for all up to one; which were seen is kept for those of the present batch. */
static void await_confirmations(amqp_connection_state_t link, uint64_t first, uint64_t last) {
    static bool seen[BATCH];
    memset(seen, 0, sizeof seen);
    for (uint64_t missing = last - first + 1; missing > 0;) {
        amqp_frame_t frame;
        int status = amqp_simple_wait_frame(link, &frame);
        if (status != AMQP_STATUS_OK) give_up("waiting for confirmations: %s", amqp_error_string2(status));
        if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
            give_up("expected a confirmation from the broker");
        const amqp_basic_ack_t *ack = frame.payload.method.decoded;
        for (uint64_t tag = ack->multiple ? first : ack->delivery_tag; tag <= ack->delivery_tag; tag++) {
            if (tag < first || tag > last) give_up("a confirmation of a message that wasn't sent");
            if (!seen[tag - first]) missing--;
            seen[tag - first] = true;
        }
        amqp_maybe_release_buffers(link);
    }
}

int main(int count_of_words, char **words) {
    if (count_of_words != 6 && count_of_words != 7) give_up("usage: preload URL QUEUE COUNT TASK ignore|keep [BYTES]");
    const char *queue = words[2], *task = words[4];
    long count = atol(words[3]);
    bool ignore = strcmp(words[5], "ignore") == 0;
    amqp_connection_state_t link = link_open(words[1]);
    amqp_confirm_select(link, BENCH_CHANNEL);
    link_check(link, "asking for confirmations");

    const int size = count_of_words == 7 ? atoi(words[6]) : 0;
    char origin[64], id[37], arguments[64], *body = malloc((size_t)size + 256);
    if (body == NULL) give_up("out of memory");
    snprintf(origin, sizeof origin, "gen%d@bench", (int)getpid());
    uint64_t first = 1; /* of those not yet confirmed */
    for (long i = 0; i < count; i++) {
        make_id(id);
        int length;
        if (size > 0) {
            snprintf(arguments, sizeof arguments, "('xxx...',)");
            length = sprintf(body, "[[\"");
            memset(body + length, 'x', (size_t)size);
            length += size + sprintf(body + length + size, "\"], {}, " EMBED "]");
        } else {
            snprintf(arguments, sizeof arguments, "(%ld, %ld)", i, i + 1);
            length = sprintf(body, "[[%ld, %ld], {}, " EMBED "]", i, i + 1);
        }
        make_headers(task, id, arguments, origin, ignore);
        amqp_basic_properties_t properties = {
            ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_HEADERS_FLAG |
                      AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
                      AMQP_BASIC_REPLY_TO_FLAG,
            .content_type = amqp_cstring_bytes("application/json"),
            .content_encoding = amqp_cstring_bytes("utf-8"),
            .headers = {field_count, fields},
            .delivery_mode = 2,
            .correlation_id = amqp_cstring_bytes(id),
            .reply_to = amqp_cstring_bytes("bench-nobody"),
        };
        int status = amqp_basic_publish(link, BENCH_CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(queue), 0, 0,
                                        &properties, (amqp_bytes_t){(size_t)length, body});
        if (status != AMQP_STATUS_OK) give_up("publishing: %s", amqp_error_string2(status));
        if ((i + 1) % BATCH == 0 || i + 1 == count) {
            await_confirmations(link, first, (uint64_t)(i + 1));
            first = (uint64_t)(i + 2);
        }
    }
    link_close(link);
    free(body);
    return 0;
}
