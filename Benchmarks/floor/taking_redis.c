/* Messages of a list of Redis, as kombu keeps them: what is taken lies in the hash `unacked` and in the sorted set
 * `unacked_index` until it is acknowledged. Taken, put there and taken from there by the batch. */
#include "floor.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const floor_settings *asked;
static redisContext *link;
static int answers_due;

static int open_link(const floor_settings *settings) {
    char host[256];
    int port = 0;
    if (sscanf(settings->url, "redis://%255[^:]:%d", host, &port) != 2) give_up("not redis://host:port: %s", settings->url);
    link = redisConnect(host, port);
    if (link == NULL || link->err != 0) give_up("connecting to Redis at %s failed", settings->url);
    asked = settings;
    return -1;
}

static void await_answers(void) {
    for (; answers_due > 0; answers_due--) {
        void *answer = NULL;
        if (redisGetReply(link, &answer) != REDIS_OK) give_up("Redis: %s", link->errstr);
        freeReplyObject(answer);
    }
}

static void keep(const redisReply *text) {
    static const char name[] = "\"delivery_tag\": \"";
    work *one = taking_blank();
    one->body = malloc(text->len + 1);
    if (one->body == NULL) give_up("out of memory");
    memcpy(one->body, text->str, text->len + 1); /* with the zero that hiredis puts behind it */
    one->body_length = text->len;
    const char *tag = strstr(one->body, name), *end = tag == NULL ? NULL : strchr(tag + sizeof name - 1, '"');
    if (end == NULL || (size_t)(end - tag) - (sizeof name - 1) > sizeof one->id) give_up("a message without a delivery tag");
    tag += sizeof name - 1;
    one->id_length = (size_t)(end - tag);
    memcpy(one->id, tag, one->id_length);
    redisAppendCommand(link, "ZADD unacked_index 1 %b", one->id, one->id_length);
    redisAppendCommand(link, "HSET unacked %b %b", one->id, one->id_length, one->body, one->body_length);
    answers_due += 2;
    taking_add(one);
}

/* Half of the prefetch at once, when so many fewer wait. */
static void pump(void) {
    size_t half = (size_t)(asked->prefetch + 1) / 2;
    if (taking_count() > half) return;
    await_answers(); /* those of acknowledgements come first */
    redisReply *reply = redisCommand(link, "RPOP %s %d", asked->queue, (int)half);
    if (reply == NULL || reply->type == REDIS_REPLY_ERROR) give_up("Redis: %s", reply ? reply->str : link->errstr);
    for (size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) keep(reply->element[i]);
    freeReplyObject(reply);
    await_answers();
}

static void acknowledge(const work *done) {
    redisAppendCommand(link, "ZREM unacked_index %b", done->id, done->id_length);
    redisAppendCommand(link, "HDEL unacked %b", done->id, done->id_length);
    answers_due += 2;
}

static void close_link(void) { redisFree(link); }

const source redis_source = {open_link, pump, acknowledge, await_answers, close_link};
