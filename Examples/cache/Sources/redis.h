/* redis.h - the cache in Redis: one connection for the process. La caché en Redis.
 *
 * value:CATEGORY       hash: json, seen (the generations it was made under); gone after TTL_SECONDS
 * generation:TAG       counts the invalidations of a tag; a value that has seen others than today's is stale
 * tag:TAG              set: the categories under it
 * versions             hash: category -> the version of its source that the cache knows of
 * figures              hash: what has happened how often
 */
#pragma once

#include <hiredis/hiredis.h>
#include <taskhost.h>

/* An answer, to be freed with freeReplyObject; NULL: the task has failed, return. / NULL: la tarea falló; volver. */
redisReply *cache_ask(task_context *task, const char *format, ...);
/* The same for commands whose answer says nothing more. False: the task has failed. */
bool cache_do(task_context *task, const char *format, ...);
