/* redis.c - the cache in Redis: one connection for the process. La caché en Redis. */
#include "redis.h"

#include <stdlib.h>

static redisContext *connection;

static void lose(task_context *task, const char *why) {
    char message[300];
    snprintf(message, sizeof message, "the cache: %s", why);
    if (connection) {
        redisFree(connection);
        connection = NULL;
    }
    taskhost_fail_at(task, "ConnectionError", "builtins", message, __FILE__, __LINE__, __func__);
}

/* The worker passes these on because taskhost.toml says so. taskhost.toml las deja pasar. */
static bool connect_once(task_context *task) {
    if (connection) {
        return true;
    }
    const char *host = getenv("CACHE_HOST"), *port = getenv("CACHE_PORT");
    connection = redisConnectWithTimeout(host ? host : "127.0.0.1", port ? atoi(port) : 6379, (struct timeval){5, 0});
    if (!connection || connection->err) {
        lose(task, connection ? connection->errstr : "no memory");
        return false;
    }
    redisSetTimeout(connection, (struct timeval){5, 0});
    /* Beside the broker's keys, not among them. Aparte de las claves del broker. */
    redisReply *selected = redisCommand(connection, "SELECT 1");
    if (!selected || selected->type == REDIS_REPLY_ERROR) {
        lose(task, selected ? selected->str : connection->errstr);
        freeReplyObject(selected);
        return false;
    }
    freeReplyObject(selected);
    return true;
}

static redisReply *ask(task_context *task, const char *format, va_list words) {
    if (!connect_once(task)) {
        return NULL;
    }
    redisReply *reply = redisvCommand(connection, format, words);
    if (!reply) {
        lose(task, connection->errstr);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        lose(task, reply->str);
        freeReplyObject(reply);
        reply = NULL;
    }
    return reply;
}

redisReply *cache_ask(task_context *task, const char *format, ...) {
    va_list words;
    va_start(words, format);
    redisReply *reply = ask(task, format, words);
    va_end(words);
    return reply;
}

bool cache_do(task_context *task, const char *format, ...) {
    va_list words;
    va_start(words, format);
    redisReply *reply = ask(task, format, words);
    va_end(words);
    if (reply) {
        freeReplyObject(reply);
    }
    return reply != NULL;
}
