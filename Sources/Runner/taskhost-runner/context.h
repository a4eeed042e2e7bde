/* context - one task being run: the functions of taskhost.h that a bundle calls meanwhile. */
#ifndef RUNNER_CONTEXT_H
#define RUNNER_CONTEXT_H
#include "registry.h"
#include "runner_protocol.h"

enum { CONTEXT_TEXTS = TASKHOST_TEXT_TRACESTATE + 1 };

struct task_context {
    const struct task_entry *entry;
    struct task_request request;
    uint64_t sequence;
    double began; /* monotonic seconds */
    const char *texts[CONTEXT_TEXTS];
    size_t lengths[CONTEXT_TEXTS];
    bool over; /* a verdict was given, or the handler returned */
    enum runner_result result;
    struct text value; /* the result's JSON */
};

/* The table handed to the bundle. */
extern const taskhost_host host_functions;

double monotonic_seconds(void);

/* The verdicts, also for the runner's own use. */
void context_succeed(task_context *task, const char *json, size_t length);
void context_fail(task_context *task, const char *type, const char *module, const char *message,
                  const char *arguments, const char *traceback);
#endif
