/* tasks.c - a cache that is reckoned anew when its source has changed. Una caché que se recalcula cuando cambia su fuente. */
#include <poll.h>
#include <stdlib.h>

#include "redis.h"
#include "source.h"

enum { TTL_SECONDS = 600, RENEWED_BEFORE_SECONDS = 60 };

/* Names go into keys and signatures: letters and hyphens. Los nombres van en claves: letras y guiones. */
static bool is_name(task_context *task, const char *name) {
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz-");
    if (length > 0 && length < CATEGORY_SIZE && !name[length]) {
        return true;
    }
    task_fail(task, "ValueError", "a category or tag is a word of small letters and hyphens");
    return false;
}

static bool count(task_context *task, const char *figure) { return cache_do(task, "HINCRBY figures %s 1", figure); }

/* The generations of the value's tags, now. False: the task has failed. */
static bool generations(task_context *task, const char *category, char text[64]) {
    redisReply *reply = cache_ask(task, "MGET generation:products generation:%s", category);
    if (!reply) {
        return false;
    }
    const char *all = reply->element[0]->str, *own = reply->element[1]->str;
    snprintf(text, 64, "%s %s", all ? all : "0", own ? own : "0");
    freeReplyObject(reply);
    return true;
}

/* Rests for CACHE_PACE seconds, to have something to look at; less when the task is to stop. Para que haya algo que mirar. */
static void rest(task_context *task) {
    const char *pace = getenv("CACHE_PACE");
    struct pollfd stop = {.fd = task_stop_fd(task), .events = POLLIN};
    poll(&stop, 1, pace ? (int)(atof(pace) * 1000) : 0);
}

/* Reckons a category up and keeps it. Of many that ask at once one reckons, and the others find its value: max_concurrent with
 * limit_key lets one run of each category, over all workers. / Calcula una categoría y la guarda. Si muchos preguntan a la
 * vez, uno calcula y los otros encuentran su valor. */
static const char *compute(task_context *task, const char *category) {
    static char json[300], seen[64];
    if (!is_name(task, category) || !generations(task, category, seen)) {
        return NULL;
    }
    redisReply *kept = cache_ask(task, "HGET value:%s seen", category);
    if (!kept) {
        return NULL;
    }
    bool fresh = kept->str && strcmp(kept->str, seen) == 0;
    freeReplyObject(kept);
    if (fresh) {
        return count(task, "found") ? "\"found\"" : NULL;
    }
    sqlite3 *source = source_open(task);
    struct summary summary;
    bool done = source && source_summary(task, source, category, &summary);
    sqlite3_close(source);
    if (!done) {
        return NULL;
    }
    rest(task);
    snprintf(json, sizeof json, "{\"products\":%lld,\"cheapest\":%lld,\"median\":%lld,\"dearest\":%lld}", summary.products,
             summary.cheapest, summary.median, summary.dearest);
    /* With the generations from before: what was invalidated meanwhile is stale at once. Lo invalidado mientras tanto, ya es
     * viejo. */
    if (!cache_do(task, "HSET value:%s json %s seen %s", category, json, seen) ||
        !cache_do(task, "EXPIRE value:%s %d", category, TTL_SECONDS) ||
        !cache_do(task, "SADD tag:products %s", category) || !cache_do(task, "SADD tag:%s %s", category, category) ||
        !cache_do(task, "HSETNX versions %s %lld", category, summary.version) || !count(task, "computed")) {
        return NULL;
    }
    task_log(task, TASKHOST_INFO, "%s is reckoned anew: %s", category, json);
    return "\"computed\"";
}
TASK_DEF_CTX(compute, json, (str, category));
TASK_OPTIONS(compute, .soft_limit = 60, .hard_limit = 70, .keep = 100, .max_retries = 3, .doc = "Reckons a category up.",
             .retry_backoff = 1, .max_concurrent = 1, .limit_scope = "global", .limit_key = "category",
             .autoretry_for = "ConnectionError");

/* A group of compute for these categories takes the place of the task: its result is theirs, and all workers take part. / Un
 * grupo de compute toma el lugar de la tarea: participan todos los workers. */
struct group {
    FILE *text;
    int members;
};

static void group_add(struct group *group, const char *category) {
    fprintf(group->text,
            "%s{\"task\":\"cache.compute\",\"args\":[\"%s\"],\"kwargs\":{},\"options\":{},\"subtask_type\":null,"
            "\"immutable\":true}",
            group->members++ ? "," : "", category);
}

static const char *replace(task_context *task, struct group *group, char **text, bool good) {
    fputs("]},\"options\":{},\"subtask_type\":\"group\",\"immutable\":false}", group->text);
    fclose(group->text);
    if (good && group->members) {
        task_replace(task, *text);
    }
    free(*text);
    return good && !group->members ? "[]" : NULL;
}

static struct group group_begin(char **text, size_t *length) {
    struct group group = {.text = open_memstream(text, length)};
    if (!group.text) {
        abort();
    }
    fputs("{\"task\":\"celery.group\",\"args\":[],\"kwargs\":{\"tasks\":[", group.text);
    return group;
}

/* Makes stale what lies under a tag, and has it reckoned anew. Readers get the old value meanwhile, and know it. / Lo que lleva
 * esa etiqueta pasa a ser viejo y se recalcula; mientras tanto se sirve, con aviso. */
static const char *invalidate(task_context *task, const char *tag) {
    if (!is_name(task, tag) || !cache_do(task, "INCR generation:%s", tag) || !count(task, "invalidated")) {
        return NULL;
    }
    redisReply *members = cache_ask(task, "SMEMBERS tag:%s", tag);
    if (!members) {
        return NULL;
    }
    char *text;
    size_t length;
    struct group group = group_begin(&text, &length);
    for (size_t number = 0; number < members->elements; number++) {
        group_add(&group, members->element[number]->str);
    }
    task_log(task, TASKHOST_INFO, "%s is invalidated: %zu values", tag, members->elements);
    freeReplyObject(members);
    return replace(task, &group, &text, true);
}
TASK_DEF_CTX(invalidate, json, (str, tag));
TASK_OPTIONS(invalidate, .hard_limit = 60, .doc = "Makes stale what lies under a tag, and has it reckoned anew.");

/* For what is missing. Para lo que falta. */
struct warming {
    task_context *task;
    struct group group;
};

static bool warm_one(void *user, const char *category, long long version) {
    struct warming *warming = user;
    (void)version;
    redisReply *there = cache_ask(warming->task, "EXISTS value:%s", category);
    if (!there) {
        return false;
    }
    if (!there->integer) {
        group_add(&warming->group, category);
    }
    freeReplyObject(there);
    return true;
}

static const char *warm(task_context *task) {
    sqlite3 *source = source_open(task);
    if (!source) {
        return NULL;
    }
    char *text;
    size_t length;
    struct warming warming = {.task = task, .group = group_begin(&text, &length)};
    bool good = source_each(task, source, warm_one, &warming);
    sqlite3_close(source);
    return replace(task, &warming.group, &text, good);
}
TASK_DEF_CTX(warm, json);
TASK_OPTIONS(warm, .hard_limit = 60, .doc = "Has all reckoned that the cache lacks.");

/* Has what changed at the source, and what will soon be gone, reckoned anew. Lo que cambió en la fuente, o está por vencer. */
static bool check_one(void *user, const char *category, long long version) {
    task_context *task = user;
    redisReply *known = cache_ask(task, "HGET versions %s", category);
    redisReply *left = known ? cache_ask(task, "TTL value:%s", category) : NULL;
    if (!left) {
        freeReplyObject(known);
        return false;
    }
    bool changed = known->str && atoll(known->str) != version;
    bool ending = left->integer >= 0 && left->integer < RENEWED_BEFORE_SECONDS;
    freeReplyObject(known);
    freeReplyObject(left);
    if (!changed && !ending) {
        return true;
    }
    char signature[200];
    snprintf(signature, sizeof signature,
             "{\"task\":\"cache.invalidate\",\"args\":[\"%s\"],\"kwargs\":{},\"options\":{},\"subtask_type\":null,"
             "\"immutable\":true}",
             category);
    /* Sent, then noted: after a crash between the two it is sent again, not forgotten. Primero enviar, después anotar. */
    if (!task_send(task, signature, NULL)) {
        task_fail(task, "RuntimeError", "cache.invalidate could not be sent");
        return false;
    }
    return cache_do(task, "HSET versions %s %lld", category, version);
}

static void check(task_context *task) {
    sqlite3 *source = source_open(task);
    if (source) {
        source_each(task, source, check_one, task);
        sqlite3_close(source);
    }
}
TASK_DEF_CTX(check, void);
TASK_OPTIONS(check, .hard_limit = 60, .ignore_result = TASKHOST_YES, .doc = "Looks for what has changed at the source.",
             .max_concurrent = 1, .limit_scope = "global");
TASK_SCHEDULE(check, check, .every = 600, .expires = 600);

TASKHOST_BUNDLE("cache", "1.0.0");
