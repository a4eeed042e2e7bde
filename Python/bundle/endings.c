/* endings - how a task ends, from Python's values. */
#include "endings.h"

#include "arguments.h"
#include "host_module.h"

/* succeed(result): JSON. */
PyObject *ending_succeed(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    const char *result;
    size_t length;
    if (!argument_count(count, 1, "succeed") || !argument_text(arguments[0], &result, &length)) {
        return NULL;
    }
    if (current_task != NULL) {
        host->succeed(current_task, result, length);
    }
    return python_none();
}

/* fail(type, module, message, arguments, traceback) */
PyObject *ending_fail(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    const char *texts[5];
    if (!argument_count(count, 5, "fail")) {
        return NULL;
    }
    for (int index = 0; index < 5; index++) {
        if (!argument_text_or_none(arguments[index], &texts[index])) {
            return NULL;
        }
    }
    if (current_task != NULL) {
        host->fail(current_task, texts[0], texts[1], texts[2], texts[3], texts[4]);
    }
    return python_none();
}

/* A member that is None is as one that is not there. */
static bool member_number(PyObject *options, const char *name, double *number) {
    PyObject *found = py.PyDict_GetItemString(options, name);
    return found == NULL || found == py.none || argument_number(found, number);
}

static bool member_text(PyObject *options, const char *name, const char **text) {
    PyObject *found = py.PyDict_GetItemString(options, name);
    return found == NULL || argument_text_or_none(found, text);
}

/* retry({"countdown", "max_retries" (-1: unlimited), "expires", "type", "module", "message", "arguments" (JSON),
 * "traceback", "args" (JSON), "kwargs" (JSON), "queue", "priority", "next" (JSON)}): what is not there is as the task has it. */
PyObject *ending_retry(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    taskhost_retry_options retry = TASKHOST_RETRY;
    double max_retries = retry.max_retries, priority = retry.priority;
    if (!argument_count(count, 1, "retry")) {
        return NULL;
    }
    PyObject *options = arguments[0];
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"type", &retry.type},           {"module", &retry.module},       {"message", &retry.message},
        {"arguments", &retry.arguments}, {"traceback", &retry.traceback}, {"args", &retry.args},
        {"kwargs", &retry.kwargs},       {"queue", &retry.queue},       {"next", &retry.next},
    };
    for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
        if (!member_text(options, texts[index].name, texts[index].text)) {
            return NULL;
        }
    }
    if (!member_number(options, "countdown", &retry.countdown) || !member_number(options, "expires", &retry.expires) ||
        !member_number(options, "max_retries", &max_retries) || !member_number(options, "priority", &priority)) {
        return NULL;
    }
    retry.max_retries = max_retries > TASKHOST_UNLIMITED ? TASKHOST_UNLIMITED : (int32_t)max_retries;
    retry.priority = (int32_t)priority;
    if (current_task != NULL) {
        host->retry_with(current_task, &retry);
    }
    return python_none();
}

/* replace(signature): JSON. */
PyObject *ending_replace(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    const char *signature;
    size_t length;
    if (!argument_count(count, 1, "replace") || !argument_text(arguments[0], &signature, &length)) {
        return NULL;
    }
    if (current_task != NULL) {
        host->replace(current_task, signature, length);
    }
    return python_none();
}

/* reject(reason, requeue) */
PyObject *ending_reject(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    const char *reason;
    if (!argument_count(count, 2, "reject") || !argument_text_or_none(arguments[0], &reason)) {
        return NULL;
    }
    int requeue = py.PyObject_IsTrue(arguments[1]);
    if (requeue < 0) {
        return NULL;
    }
    if (current_task != NULL) {
        host->reject(current_task, reason, requeue != 0);
    }
    return python_none();
}

PyObject *ending_ignore(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    (void)arguments;
    (void)count;
    if (current_task != NULL) {
        host->ignore(current_task);
    }
    return python_none();
}

/* ignore_as(state, meta): JSON. */
PyObject *ending_ignore_as(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    const char *state, *meta;
    size_t length;
    if (!argument_count(count, 2, "ignore_as") || !argument_text(arguments[0], &state, NULL) ||
        !argument_text(arguments[1], &meta, &length)) {
        return NULL;
    }
    if (current_task != NULL) {
        host->ignore_as(current_task, state, meta, length);
    }
    return python_none();
}
