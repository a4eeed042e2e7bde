/* context - what a task can ask, and say while it runs. */
#include "context.h"

#include "crash.h"
#include "frames.h"
#include "invoke.h"
#include "json.h"
#include "soft_limit.h"
#include "submit.h"
#include "verdict.h"
#include "version.h"

#include <math.h>
#include <string.h>
#include <time.h>

double monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static const char *text_of(const task_context *task, int which, size_t *length) {
    bool known = which > 0 && which < CONTEXT_TEXTS;
    if (length != NULL) {
        *length = known ? task->lengths[which] : 0;
    }
    return known ? task->texts[which] : NULL;
}

static double time_left(const task_context *task) {
    double limit = task->request.hard_limit_s;
    double left = task->began + limit - monotonic_seconds();
    return limit <= 0 ? (double)INFINITY : left > 0 ? left : 0;
}

static double number_of(const task_context *task, int which) {
    const struct task_request *request = &task->request;
    switch (which) {
    case TASKHOST_NUMBER_RETRIES: return request->retries;
    case TASKHOST_NUMBER_STARTS: return request->starts;
    case TASKHOST_NUMBER_MAX_RETRIES: return request->max_retries;
    case TASKHOST_NUMBER_SOFT_LIMIT: return request->soft_limit_s;
    case TASKHOST_NUMBER_HARD_LIMIT: return request->hard_limit_s;
    case TASKHOST_NUMBER_TIME_LEFT: return time_left(task);
    case TASKHOST_NUMBER_ETA: return request->eta_unix_s;
    case TASKHOST_NUMBER_REDELIVERED: return request->flags & TASK_REDELIVERED;
    default: return 0;
    }
}

static bool should_stop(const task_context *task) {
    (void)task;
    return soft_limit_reached();
}

static int stop_fd(task_context *task) {
    (void)task;
    return soft_limit_descriptor();
}

/* Clients read what lies under these states as a result, or as an exception. */
static bool is_reserved(const char *state) {
    static const char *const names[] = {"SUCCESS", "FAILURE", "RETRY", "REVOKED"};
    for (size_t index = 0; index < sizeof names / sizeof names[0]; index++) {
        if (strcmp(state, names[index]) == 0) {
            return true;
        }
    }
    return false;
}

static void update_state(task_context *task, const char *state, const char *meta, size_t length) {
    struct json_slice value = {"null", 4};
    if (task->over || state == NULL) {
        return;
    }
    if (is_reserved(state)) {
        struct text complaint = {0};
        text_append_string(&complaint, "a state was dropped: ");
        text_append_string(&complaint, state);
        text_append_string(&complaint, " is how a task ends; give the state a name of its own");
        frame_send(FRAME_LOG, LEVEL_WARNING, task->sequence, complaint.bytes, complaint.length, NULL, 0);
        text_free(&complaint);
        return;
    }
    if (meta != NULL && !json_whole(meta, length, &value)) {
        static const char complaint[] = "a state was dropped: its meta is no JSON";
        frame_send(FRAME_LOG, LEVEL_WARNING, task->sequence, complaint, sizeof complaint - 1, NULL, 0);
        return;
    }
    struct text payload = {0};
    text_append_string(&payload, "{\"state\":");
    text_append_json_string(&payload, state, strlen(state));
    text_append_string(&payload, ",\"meta\":");
    text_append(&payload, value.text, value.length);
    text_append(&payload, "}", 1);
    frame_send(FRAME_STATE, 0, task->sequence, payload.bytes, payload.length, NULL, 0);
    text_free(&payload);
}

static void log_text(task_context *task, int level, const char *text, size_t length) {
    if (!task->over && text != NULL) {
        int bounded = level < LEVEL_DEBUG ? LEVEL_DEBUG : level > LEVEL_ERROR ? LEVEL_ERROR : level;
        frame_send(FRAME_LOG, (uint16_t)bounded, task->sequence, text, length, NULL, 0);
    }
}

const taskhost_host host_functions = {
    .size = sizeof(taskhost_host),
    .abi_major = TASKHOST_ABI_MAJOR,
    .abi_minor = TASKHOST_ABI_MINOR,
    .version = RUNNER_VERSION,
    .describe = registry_describe,
    .add = registry_add,
    .text = text_of,
    .number = number_of,
    .should_stop = should_stop,
    .stop_fd = stop_fd,
    .update_state = update_state,
    .log = log_text,
    .succeed = context_succeed,
    .fail = context_fail,
    .retry = context_retry,
    .reject = context_reject,
    .ignore = context_ignore,
    .new_id = submit_new_id,
    .send = submit_send,
    .add_to_chord = submit_add_to_chord,
    .replace = context_replace,
    .retry_with = context_retry_with,
    .schedule = registry_schedule,
    .bind = invoke_bind,
    .publish = submit_publish,
    .add_children = submit_add_children,
    .at_exit = registry_at_exit,
    .refuse = registry_refuse,
    .on_stop = soft_limit_notify,
    .crash_fd = crash_text_descriptor,
    .ignore_as = context_ignore_as,
};
