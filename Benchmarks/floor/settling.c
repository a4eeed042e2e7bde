#include "floor.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESULT_SECONDS 86400

static redisContext *store;
static work *recorded, **recorded_tail = &recorded; /* waiting for the store's answers */
static int answers_due;

void settling_open(const floor_settings *settings) {
    if (settings->redis == NULL) return;
    char host[256];
    int port = 0;
    if (sscanf(settings->redis, "%255[^:]:%d", host, &port) != 2) give_up("not host:port: %s", settings->redis);
    store = redisConnect(host, port);
    if (store == NULL || store->err != 0) give_up("connecting to Redis at %s failed", settings->redis);
}

static void acknowledge(work *done) {
    int status = amqp_basic_ack(taking_link(), BENCH_CHANNEL, done->tag, 0);
    if (status != AMQP_STATUS_OK) give_up("acknowledging: %s", amqp_error_string2(status));
    free(done->body);
    free(done);
}

/* As Celery's Redis backend does: look whether there is a SUCCESS, then set and publish in one transaction. */
static void record(const work *done) {
    char meta[320];
    int length = snprintf(meta, sizeof meta,
                          "{\"status\": \"SUCCESS\", \"result\": 3.0, \"traceback\": null, \"children\": [], "
                          "\"date_done\": \"2026-01-01T00:00:00.000000+00:00\", \"task_id\": \"%.*s\"}",
                          (int)done->id_length, done->id);
    redisAppendCommand(store, "GET celery-task-meta-%b", done->id, done->id_length);
    redisAppendCommand(store, "MULTI");
    redisAppendCommand(store, "SETEX celery-task-meta-%b %d %b", done->id, done->id_length, RESULT_SECONDS, meta,
                       (size_t)length);
    redisAppendCommand(store, "PUBLISH celery-task-meta-%b %b", done->id, done->id_length, meta, (size_t)length);
    redisAppendCommand(store, "EXEC");
    answers_due += 5;
}

void settling_done(work *done) {
    if (store == NULL) {
        acknowledge(done);
        return;
    }
    record(done);
    done->next = NULL;
    *recorded_tail = done;
    recorded_tail = &done->next;
}

void settling_flush(void) {
    for (; answers_due > 0; answers_due--) {
        void *answer = NULL;
        if (redisGetReply(store, &answer) != REDIS_OK) give_up("Redis: %s", store->errstr);
        freeReplyObject(answer);
    }
    while (recorded != NULL) {
        work *done = recorded;
        recorded = done->next;
        acknowledge(done);
    }
    recorded_tail = &recorded;
}
