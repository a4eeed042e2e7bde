/* verdict - each ending as the JSON the host expects (enum runner_result). */
#include "verdict.h"

#include "json.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

static pthread_mutex_t deciding = PTHREAD_MUTEX_INITIALIZER;

/* True for the first caller of this task, whose verdict counts; later ones may come from other threads. */
static bool decide(task_context *task, enum runner_result result) {
    pthread_mutex_lock(&deciding);
    bool first = !task->over;
    if (first) {
        task->over = true;
        task->result = result;
        text_clear(&task->value);
    }
    pthread_mutex_unlock(&deciding);
    return first;
}

static void append_string(struct text *out, const char *string) {
    text_append_json_string(out, string, string != NULL ? strlen(string) : 0);
}

static void append_failure(struct text *out, const char *type, const char *module, const char *message,
                           const char *arguments, const char *traceback) {
    struct json_slice list;
    text_append_string(out, "{\"exc_type\":");
    append_string(out, type != NULL ? type : "Exception");
    text_append_string(out, ",\"exc_module\":");
    append_string(out, module != NULL ? module : "taskhost.errors");
    text_append_string(out, ",\"exc_message\":");
    if (arguments != NULL && json_whole(arguments, strlen(arguments), &list) && json_kind(list) == JSON_ARRAY) {
        text_append(out, list.text, list.length);
    } else {
        text_append(out, "[", 1);
        append_string(out, message != NULL ? message : "");
        text_append(out, "]", 1);
    }
    text_append_string(out, ",\"traceback\":");
    if (traceback != NULL && traceback[0] == '\0') {
        text_append_string(out, "null");
    } else if (traceback != NULL) {
        append_string(out, traceback);
    } else {
        struct text line = {0};
        text_append_format(&line, "%s%s", type != NULL ? type : "Exception", message != NULL ? ": " : "");
        text_append_string(&line, message != NULL ? message : "");
        text_append(&line, "\n", 1);
        text_append_json_string(out, line.bytes, line.length);
        text_free(&line);
    }
    text_append(out, "}", 1);
}

void context_succeed(task_context *task, const char *json, size_t length) {
    struct json_slice value;
    if (!json_whole(json, length, &value)) {
        context_fail(task, "ValueError", "builtins", "the task's result is no JSON", NULL, NULL);
    } else if (decide(task, RESULT_SUCCESS)) {
        text_append(&task->value, value.text, value.length);
    }
}

void context_fail(task_context *task, const char *type, const char *module, const char *message,
                  const char *arguments, const char *traceback) {
    if (decide(task, RESULT_FAILURE)) {
        append_failure(&task->value, type, module, message, arguments, traceback);
    }
}

/* Adds the member if the text is a value of that kind; anything else is as if it were not given. */
static void append_member(struct text *out, const char *name, const char *json, enum json_kind kind) {
    struct json_slice value;
    if (json != NULL && json_whole(json, strlen(json), &value) && json_kind(value) == kind) {
        text_append_format(out, ",\"%s\":", name);
        text_append(out, value.text, value.length);
    }
}

void context_retry_with(task_context *task, const taskhost_retry_options *given) {
    taskhost_retry_options retry = TASKHOST_RETRY;
    memcpy(&retry, given, given->size < sizeof retry ? given->size : sizeof retry);
    if (!decide(task, RESULT_RETRY)) {
        return;
    }
    struct text *out = &task->value;
    text_append_string(out, "{\"countdown\":");
    if (retry.countdown >= 0 && isfinite(retry.countdown)) {
        text_append_json_double(out, retry.countdown);
    } else {
        text_append_string(out, "null");
    }
    if (retry.max_retries >= 0 && retry.max_retries != TASKHOST_UNLIMITED) {
        text_append_format(out, ",\"max_retries\":%d", retry.max_retries);
    } else if (retry.max_retries == -1 || retry.max_retries == TASKHOST_UNLIMITED) {
        text_append_string(out, ",\"max_retries\":null");
    }
    if (retry.expires > 0 && isfinite(retry.expires)) {
        text_append_string(out, ",\"expires\":");
        text_append_json_double(out, retry.expires);
    }
    append_member(out, "args", retry.args, JSON_ARRAY);
    append_member(out, "kwargs", retry.kwargs, JSON_OBJECT);
    if (retry.queue != NULL && retry.queue[0] != '\0') {
        text_append_string(out, ",\"queue\":");
        append_string(out, retry.queue);
    }
    if (retry.priority >= 0) {
        text_append_format(out, ",\"priority\":%d", retry.priority < 255 ? retry.priority : 255);
    }
    append_member(out, "next", retry.next, JSON_OBJECT);
    text_append_string(out, ",\"exc\":");
    if (retry.type != NULL) {
        append_failure(out, retry.type, retry.module, retry.message, retry.arguments, retry.traceback);
    } else {
        text_append_string(out, "null");
    }
    text_append(out, "}", 1);
}

void context_retry(task_context *task, double countdown, int max_retries, const char *reason) {
    taskhost_retry_options retry = TASKHOST_RETRY;
    retry.countdown = countdown;
    retry.max_retries = max_retries;
    retry.type = reason != NULL ? "TaskError" : NULL;
    retry.message = reason;
    context_retry_with(task, &retry);
}

void context_replace(task_context *task, const char *signature, size_t length) {
    struct json_slice value;
    if (signature == NULL || !json_whole(signature, length, &value) ||
        (json_kind(value) != JSON_OBJECT && json_kind(value) != JSON_NULL)) {
        context_fail(task, "ValueError", "builtins", "a task can be replaced by a signature only, a JSON object", NULL,
                     NULL);
    } else if (decide(task, RESULT_REPLACE)) {
        text_append(&task->value, value.text, value.length);
    }
}

void context_reject(task_context *task, const char *reason, bool requeue) {
    if (decide(task, RESULT_REJECT)) {
        text_append_string(&task->value, "{\"reason\":");
        append_string(&task->value, reason != NULL ? reason : "");
        text_append_format(&task->value, ",\"requeue\":%s}", requeue ? "true" : "false");
    }
}

void context_ignore(task_context *task) {
    if (decide(task, RESULT_IGNORE)) {
        text_append_string(&task->value, "null");
    }
}

void context_ignore_as(task_context *task, const char *state, const char *meta, size_t length) {
    struct json_slice value = {"null", 4};
    if (state == NULL || (meta != NULL && !json_whole(meta, length, &value))) {
        context_fail(task, "ValueError", "builtins", "the state a task is left in is no text, or its meta no JSON", NULL,
                     NULL);
    } else if (decide(task, RESULT_IGNORE)) {
        text_append_string(&task->value, "{\"state\":");
        append_string(&task->value, state);
        text_append_string(&task->value, ",\"meta\":");
        text_append(&task->value, value.text, value.length);
        text_append(&task->value, "}", 1);
    }
}
