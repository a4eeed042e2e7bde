/* registration - a Python function as a task of this bundle, its options from a dict with the names of
 * taskhost_options. */
#include "registration.h"

#include "arguments.h"
#include "handler.h"
#include "host_module.h"

#include <stddef.h>

static const struct {
    const char *name;
    size_t offset;
    enum { REAL, WHOLE, TEXT } kind;
} known[] = {
#define FIELD(name, kind) {#name, offsetof(taskhost_options, name), kind}
    FIELD(max_retries, WHOLE),      FIELD(soft_limit, REAL),           FIELD(hard_limit, REAL),
    FIELD(retry_delay, REAL),       FIELD(acks_late, WHOLE),           FIELD(track_started, WHOLE),
    FIELD(ignore_result, WHOLE),    FIELD(max_starts, WHOLE),          FIELD(keep, WHOLE),
    FIELD(rate_limit, TEXT),        FIELD(doc, TEXT),                  FIELD(queue, TEXT),
    FIELD(acks_on_failure, WHOLE),  FIELD(acks_on_timeout, WHOLE),     FIELD(reject_on_worker_lost, WHOLE),
    FIELD(takes_failure, WHOLE),    FIELD(store_errors_even_if_ignored, WHOLE),
#undef FIELD
};

static bool read_options(PyObject *dict, taskhost_options *options) {
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++) {
        PyObject *found = py.PyDict_GetItemString(dict, known[index].name);
        void *place = (char *)options + known[index].offset;
        double number = 0;
        if (found == NULL || found == py.none) {
            continue;
        }
        if (known[index].kind == TEXT) {
            if (!argument_text(found, place, NULL)) {
                return false;
            }
        } else if (!argument_number(found, &number)) {
            return false;
        } else if (known[index].kind == REAL) {
            *(double *)place = number;
        } else {
            *(int32_t *)place = number > TASKHOST_UNLIMITED ? TASKHOST_UNLIMITED : (int32_t)number;
        }
    }
    return true;
}

/* add(name, function, signature | None, options) -> bool: false, and the host has noted why not. The function is called
 * for each task, with the message's body. */
PyObject *registration_add(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    const char *name, *signature;
    taskhost_options options = {.size = sizeof options};
    if (!argument_count(count, 4, "add") || !argument_text(arguments[0], &name, NULL) ||
        !argument_text_or_none(arguments[2], &signature) || !read_options(arguments[3], &options)) {
        return NULL;
    }
    options.name = name; /* as it is, without a dot, too */
    const taskhost_task task = {.size = sizeof task,
                                .name = name,
                                .signature = signature,
                                .handler = handler_run,
                                .user = arguments[1],
                                .options = &options};
    py.Py_IncRef(arguments[1]); /* for as long as the process lives */
    return py.PyBool_FromLong(host->add(&task) == 0);
}

static PyObject *last_word;

static void leave(void) { handler_leave(last_word); }

/* at_exit(function) -> bool: it is called in each child that ends by itself. */
PyObject *registration_at_exit(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    if (!argument_count(count, 1, "at_exit")) {
        return NULL;
    }
    last_word = arguments[0];
    py.Py_IncRef(last_word);
    return py.PyBool_FromLong(host->at_exit(leave) == 0);
}
