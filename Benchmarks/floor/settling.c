/* Results, and then the acknowledgement. */
#include "floor.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

#define RESULT_SECONDS 86400

static redisContext *store;
static bool replies;
static work *recorded, **recorded_tail = &recorded; /* waiting for the store's answers */
static int answers_due;

void settling_open(const floor_settings *settings) {
    if (settings->results == NULL) return;
    replies = strcmp(settings->results, "rpc") == 0;
    if (replies) return;
    char host[256];
    int port = 0;
    if (sscanf(settings->results, "redis://%255[^:]:%d", host, &port) != 2)
        give_up("neither redis://host:port nor rpc: %s", settings->results);
    store = redisConnect(host, port);
    if (store == NULL || store->err != 0) give_up("connecting to Redis at %s failed", settings->results);
}

/* The least that a client of Celery understands; a look before it, and a transaction around, are left out. */
static void record(const work *done, const char *meta, size_t length) {
    redisAppendCommand(store, "SETEX celery-task-meta-%b %d %b", done->id, done->id_length, RESULT_SECONDS, meta, length);
    redisAppendCommand(store, "PUBLISH celery-task-meta-%b %b", done->id, done->id_length, meta, length);
    answers_due += 2;
}

void settling_done(work *done) {
    if (store == NULL && !replies) {
        taking_acknowledge(done);
        return;
    }
    char meta[320];
    int length = snprintf(meta, sizeof meta,
                          "{\"task_id\": \"%.*s\", \"status\": \"SUCCESS\", \"result\": 3, \"traceback\": null, "
                          "\"children\": []}",
                          (int)done->id_length, done->id);
    if (replies) {
        frames_publish(done->reply, done->reply_length, done, meta, (size_t)length);
        taking_acknowledge(done);
        return;
    }
    record(done, meta, (size_t)length);
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
        taking_acknowledge(done);
    }
    recorded_tail = &recorded;
    taking_flush();
}
