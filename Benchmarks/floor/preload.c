/* preload OPTION… fills a queue with messages as a Celery 5 client sends them: protocol 2, JSON, persistent, and waits until
 * the broker has confirmed every one. The queue must exist. Options: see `usage`. */
#include "link.h"

#include <amqp_framing.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define EMBED "{\"callbacks\": null, \"errbacks\": null, \"chain\": null, \"chord\": null}"
#define BATCH 500 /* messages between two waits for confirmations */
#define REPR_MAX 1024

static const char usage[] =
    "usage: preload --url URL --queue NAME --count N --task NAME [--results] [--reply-to QUEUE] [--bytes N | --json TEXT]\n"
    "               [--names N] [--queues N] [--eta SECONDS]\n"
    "Arguments are two numbers, or a text of so many bytes, or TEXT, what is within the brackets. --results: they are\n"
    "wanted. --names: so many tasks, NAME0, NAME1, …; --queues: so many queues, NAME0, NAME1, …, in turn.\n"
    "--eta: due so many seconds from now";

static struct {
    const char *url, *queue, *task, *reply, *json;
    long count, bytes, names, queues, eta;
    bool results;
} asked = {.reply = "bench-nobody"};

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

static const char *due(long seconds) {
    static char text[64];
    time_t when = time(NULL) + seconds;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000000+00:00", gmtime(&when));
    return text;
}

static void make_headers(const char *task, const char *id, const char *arguments, const char *origin) {
    static amqp_field_value_t limits[2] = {{.kind = AMQP_FIELD_KIND_VOID}, {.kind = AMQP_FIELD_KIND_VOID}};
    static const char *const nulls[] = {"shadow", "expires", "group", "group_index", "parent_id",
                                        "stamped_headers"};
    field_count = 0;
    text_field("lang", "py");
    text_field("task", task);
    text_field("id", id);
    text_field("root_id", id);
    text_field("argsrepr", arguments);
    text_field("kwargsrepr", "{}");
    text_field("origin", origin);
    if (asked.eta > 0)
        text_field("eta", due(asked.eta));
    else
        field("eta", AMQP_FIELD_KIND_VOID);
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) field(nulls[i], AMQP_FIELD_KIND_VOID);
    field("retries", AMQP_FIELD_KIND_I32)->value.i32 = 0;
    field("replaced_task_nesting", AMQP_FIELD_KIND_I32)->value.i32 = 0;
    field("timelimit", AMQP_FIELD_KIND_ARRAY)->value.array = (amqp_array_t){2, limits};
    field("ignore_result", AMQP_FIELD_KIND_BOOLEAN)->value.boolean = !asked.results;
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

static void read_options(int count, char **words) {
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},   {"queue", required_argument, NULL, 'q'},
        {"count", required_argument, NULL, 'c'}, {"task", required_argument, NULL, 't'},
        {"bytes", required_argument, NULL, 'b'}, {"json", required_argument, NULL, 'j'},
        {"names", required_argument, NULL, 'n'}, {"queues", required_argument, NULL, 's'},
        {"eta", required_argument, NULL, 'e'},   {"reply-to", required_argument, NULL, 'r'},
        {"results", no_argument, NULL, 'k'},     {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(count, words, "", options, NULL)) != -1;) {
        switch (option) {
        case 'u': asked.url = optarg; break;
        case 'q': asked.queue = optarg; break;
        case 'c': asked.count = atol(optarg); break;
        case 't': asked.task = optarg; break;
        case 'b': asked.bytes = atol(optarg); break;
        case 'j': asked.json = optarg; break;
        case 'n': asked.names = atol(optarg); break;
        case 's': asked.queues = atol(optarg); break;
        case 'e': asked.eta = atol(optarg); break;
        case 'r': asked.reply = optarg; break;
        case 'k': asked.results = true; break;
        default: give_up("%s", usage);
        }
    }
    if (optind != count || asked.url == NULL || asked.queue == NULL || asked.task == NULL || asked.count < 1)
        give_up("%s", usage);
}

/* The body of message i; the text of its arguments goes to `shown`, cut as Celery's client does. */
static size_t make_body(char *body, char *shown, long i) {
    int length = sprintf(body, "[[");
    if (asked.bytes > 0) {
        body[length++] = '"';
        memset(body + length, 'x', (size_t)asked.bytes);
        int seen = asked.bytes > REPR_MAX - 8 ? REPR_MAX - 8 : (int)asked.bytes;
        sprintf(shown, "('%.*s%s',)", seen, body + length, asked.bytes > seen ? "..." : "");
        length += (int)asked.bytes;
        body[length++] = '"';
    } else if (asked.json != NULL) {
        length += sprintf(body + length, "%s", asked.json);
        snprintf(shown, REPR_MAX, "(%s,)", asked.json);
    } else {
        length += sprintf(body + length, "%ld, %ld", i, i + 1);
        sprintf(shown, "(%ld, %ld)", i, i + 1);
    }
    return (size_t)(length + sprintf(body + length, "], {}, " EMBED "]"));
}

/* The name itself, or one of `many` in turn. */
static const char *one_of(char room[256], const char *name, long many, long i) {
    if (many == 0) return name;
    snprintf(room, 256, "%s%ld", name, i % many);
    return room;
}

int main(int word_count, char **words) {
    read_options(word_count, words);
    amqp_connection_state_t link = link_open(asked.url);
    amqp_confirm_select(link, BENCH_CHANNEL);
    link_check(link, "asking for confirmations");
    static char shown[REPR_MAX + 16], task[256], queue[256];
    char origin[64], id[37], *body = malloc((size_t)asked.bytes + (asked.json ? strlen(asked.json) : 0) + 256);
    if (body == NULL) give_up("out of memory");
    snprintf(origin, sizeof origin, "gen%d@bench", (int)getpid());
    uint64_t first = 1; /* of those not yet confirmed */
    for (long i = 0; i < asked.count; i++) {
        make_id(id);
        size_t length = make_body(body, shown, i);
        make_headers(one_of(task, asked.task, asked.names, i), id, shown, origin);
        amqp_basic_properties_t properties = {
            ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_CONTENT_ENCODING_FLAG | AMQP_BASIC_HEADERS_FLAG |
                      AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_PRIORITY_FLAG | AMQP_BASIC_CORRELATION_ID_FLAG |
                      AMQP_BASIC_REPLY_TO_FLAG,
            .content_type = amqp_cstring_bytes("application/json"),
            .content_encoding = amqp_cstring_bytes("utf-8"),
            .headers = {field_count, fields},
            .delivery_mode = 2,
            .correlation_id = amqp_cstring_bytes(id),
            .reply_to = amqp_cstring_bytes(asked.reply),
        };
        const char *to = one_of(queue, asked.queue, asked.queues, i);
        int status = amqp_basic_publish(link, BENCH_CHANNEL, amqp_empty_bytes, amqp_cstring_bytes(to), 0, 0, &properties,
                                        (amqp_bytes_t){length, body});
        if (status != AMQP_STATUS_OK) give_up("publishing: %s", amqp_error_string2(status));
        if ((i + 1) % BATCH == 0 || i + 1 == asked.count) {
            await_confirmations(link, first, (uint64_t)(i + 1));
            first = (uint64_t)(i + 2);
        }
    }
    link_close(link);
    free(body);
    return 0;
}
