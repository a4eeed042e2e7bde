/* bind - a message's [args, kwargs] onto a task's parameters, as Python binds the arguments of a call. */
#ifndef RUNNER_BIND_H
#define RUNNER_BIND_H
#include "json.h"
#include "registry.h"

/* An exception in Python's terms. */
struct bind_fault {
    const char *type; /* of module builtins; static */
    struct text message;
    struct text where; /* for the operator; may be empty */
};

/* `bound` has room for MAX_PARAMETERS and gets one slice for each parameter: text NULL where it takes its default, and
 * for a context. Slices live in the body or the arena. False: `fault` says what Python would raise. */
bool bind_call(const struct task_entry *entry, const char *body, size_t length, struct json_slice *bound,
               struct bind_fault *fault);
#endif
