/*
 * taskhost_testing.h - a host for unit tests, in C and C++: it remembers what tasks say, and its clock is the test's own.
 *
 *     #include "tasks.c"                        // the bundle
 *     #include <taskhost_testing.h>
 *
 *     task_test test;
 *     task_context *task = task_test_begin(&test);
 *     assert(strcmp(greet(task, "Ada"), "Hello, Ada!") == 0);       // a typed task is a function
 *     task_test_run(&test, "sums.total", "[1, 2]", "{}");           // a handler is called by its name
 *     assert(strcmp(test.result, "3") == 0);
 *     task_test_end(&test);
 *
 * It does not fork, kill or send: what needs that is run by `taskhost run`. One test at a time, in one thread. Included by
 * one file of the test, in which or beside which the bundle's TASKHOST_BUNDLE stands.
 */
#ifndef TASKHOST_TESTING_H
#define TASKHOST_TESTING_H
#include "taskhost.h"
#include "taskhost_testing_bind.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum task_test_ending {
    TASK_TEST_RUNNING = 0, /* a typed task returns its result; a handler that says nothing has succeeded with null */
    TASK_TEST_SUCCEEDED,
    TASK_TEST_FAILED,
    TASK_TEST_RETRIED,
    TASK_TEST_REJECTED,
    TASK_TEST_IGNORED,
    TASK_TEST_REPLACED,
};

#define TASK_TEST_MOST 256

typedef struct task_test {
    enum task_test_ending ending;
    char *result;    /* JSON of a success; the signature of what replaces the task */
    char *type;      /* of a failure, or of a retry's reason */
    char *message;   /* of a failure, of a retry, of a rejection */
    double countdown; /* of a retry; < 0: by the task's policy */
    bool requeue;    /* of a rejection */
    int states;      /* how often it has set a state */
    char *state;     /* the last one, and its JSON */
    char *meta;
    int lines;       /* of its log */
    char *line;      /* the last one */
    int sends;       /* how many signatures were sent */
    char *sent;      /* the last one */
    /* What the task is told; to be set between task_test_begin and the call. */
    const char *body;    /* JSON: [args, kwargs, embed] */
    const char *headers; /* JSON object */
    int retries, max_retries;
    double now;          /* seconds since the start */
    double soft_limit, hard_limit;
    /* ---- the kit's own ---- */
    int ids, stop[2];
    bool is_stopping;
    taskhost_slice arguments[TASK_TEST_MOST];
    const char *signature; /* of the handler that runs */
    char *made_body, *joined[2];
} task_test;

static task_test *taskhost_test_current;

/* What the bundle has registered, once: it is loaded once in a host, too. */
static struct {
    char *name;
    int tasks;
    struct {
        char *name, *signature;
        void (*handler)(task_context *task, void *user);
        void *user;
        bool is_below; /* clients call it by the bundle's name, a dot, and this one */
    } task[TASK_TEST_MOST];
    void (*notify)(void);
    char refusal[256];
} taskhost_test_bundle;

static inline char *taskhost_test_copy(const char *text, size_t length) {
    char *copy = (char *)malloc(length + 1);
    if (!copy) {
        abort();
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}
static inline void taskhost_test_set(char **place, const char *text, size_t length) {
    free(*place);
    *place = text ? taskhost_test_copy(text, length) : NULL;
}
static inline void taskhost_test_put(char **place, const char *text) {
    taskhost_test_set(place, text, text ? strlen(text) : 0);
}
static inline task_test *taskhost_test_of(const task_context *task) { return (task_test *)(uintptr_t)task; }
/* The first ending counts, as with a host. */
static inline bool taskhost_test_ends(task_context *task, enum task_test_ending ending) {
    task_test *test = taskhost_test_of(task);
    if (test->ending != TASK_TEST_RUNNING) {
        return false;
    }
    test->ending = ending;
    return true;
}

/* ---- the host's functions ---- */

static inline int taskhost_test_describe(const taskhost_bundle_info *info) {
    taskhost_test_put(&taskhost_test_bundle.name, info->name);
    return 0;
}
static inline int taskhost_test_refuse(const char *why) {
    snprintf(taskhost_test_bundle.refusal, sizeof taskhost_test_bundle.refusal, "%s", why);
    return 1;
}
static inline int taskhost_test_add(const taskhost_task *task) {
    const char *given = task->options ? task->options->name : NULL;
    const char *name = given ? given : task->name;
    int index = taskhost_test_bundle.tasks;
    if (index == TASK_TEST_MOST) {
        return taskhost_test_refuse("has too many tasks for this kit");
    }
    taskhost_test_bundle.task[index].name = taskhost_test_copy(name, strlen(name));
    taskhost_test_bundle.task[index].signature = taskhost_test_copy(task->signature, strlen(task->signature));
    taskhost_test_bundle.task[index].handler = task->handler;
    taskhost_test_bundle.task[index].user = task->user;
    taskhost_test_bundle.task[index].is_below = !given && !strchr(name, '.');
    taskhost_test_bundle.tasks++;
    return 0;
}
static inline int taskhost_test_schedule(const taskhost_schedule *schedule) {
    (void)schedule;
    return 0;
}
static inline const char *taskhost_test_text(const task_context *task, int which, size_t *length) {
    const task_test *test = taskhost_test_of(task);
    const char *text = which == TASKHOST_TEXT_ID        ? "00000000-0000-4000-8000-000000000000"
                       : which == TASKHOST_TEXT_ROOT_ID ? "00000000-0000-4000-8000-000000000000"
                       : which == TASKHOST_TEXT_NAME    ? "test"
                       : which == TASKHOST_TEXT_QUEUE   ? "celery"
                       : which == TASKHOST_TEXT_BODY    ? test->body
                       : which == TASKHOST_TEXT_HEADERS ? test->headers
                       : which == TASKHOST_TEXT_PROPERTIES ? "{}"
                                                           : NULL;
    if (length) {
        *length = text ? strlen(text) : 0;
    }
    return text;
}
static inline double taskhost_test_number(const task_context *task, int which) {
    const task_test *test = taskhost_test_of(task);
    switch (which) {
    case TASKHOST_NUMBER_RETRIES: return test->retries;
    case TASKHOST_NUMBER_STARTS: return 1;
    case TASKHOST_NUMBER_MAX_RETRIES: return test->max_retries;
    case TASKHOST_NUMBER_SOFT_LIMIT: return test->soft_limit;
    case TASKHOST_NUMBER_HARD_LIMIT: return test->hard_limit;
    case TASKHOST_NUMBER_TIME_LEFT: return test->hard_limit > 0 ? test->hard_limit - test->now : (double)INFINITY;
    default: return 0;
    }
}
static inline bool taskhost_test_should_stop(const task_context *task) { return taskhost_test_of(task)->is_stopping; }
static inline int taskhost_test_stop_fd(task_context *task) { return taskhost_test_of(task)->stop[0]; }
static inline void taskhost_test_state(task_context *task, const char *state, const char *meta, size_t length) {
    task_test *test = taskhost_test_of(task);
    test->states++;
    taskhost_test_put(&test->state, state);
    taskhost_test_set(&test->meta, meta, length);
}
static inline void taskhost_test_log(task_context *task, int level, const char *text, size_t length) {
    task_test *test = taskhost_test_of(task);
    (void)level;
    test->lines++;
    taskhost_test_set(&test->line, text, length);
}
static inline void taskhost_test_succeed(task_context *task, const char *json, size_t length) {
    if (taskhost_test_ends(task, TASK_TEST_SUCCEEDED)) {
        taskhost_test_set(&taskhost_test_of(task)->result, json, length);
    }
}
static inline void taskhost_test_fail(task_context *task, const char *type, const char *module, const char *message,
                                      const char *arguments, const char *traceback) {
    (void)module, (void)arguments, (void)traceback;
    if (taskhost_test_ends(task, TASK_TEST_FAILED)) {
        taskhost_test_put(&taskhost_test_of(task)->type, type);
        taskhost_test_put(&taskhost_test_of(task)->message, message);
    }
}
static inline void taskhost_test_retry(task_context *task, double countdown, int max_retries, const char *reason) {
    (void)max_retries;
    if (taskhost_test_ends(task, TASK_TEST_RETRIED)) {
        taskhost_test_of(task)->countdown = countdown;
        taskhost_test_put(&taskhost_test_of(task)->message, reason);
    }
}
static inline void taskhost_test_retry_with(task_context *task, const taskhost_retry_options *retry) {
    if (taskhost_test_ends(task, TASK_TEST_RETRIED)) {
        taskhost_test_of(task)->countdown = retry->countdown;
        taskhost_test_put(&taskhost_test_of(task)->type, retry->type);
        taskhost_test_put(&taskhost_test_of(task)->message, retry->message);
    }
}
static inline void taskhost_test_reject(task_context *task, const char *reason, bool requeue) {
    if (taskhost_test_ends(task, TASK_TEST_REJECTED)) {
        taskhost_test_of(task)->requeue = requeue;
        taskhost_test_put(&taskhost_test_of(task)->message, reason);
    }
}
static inline void taskhost_test_ignore(task_context *task) { taskhost_test_ends(task, TASK_TEST_IGNORED); }
static inline void taskhost_test_ignore_as(task_context *task, const char *state, const char *meta, size_t length) {
    if (taskhost_test_ends(task, TASK_TEST_IGNORED)) {
        taskhost_test_put(&taskhost_test_of(task)->state, state);
        taskhost_test_set(&taskhost_test_of(task)->meta, meta, length);
    }
}
static inline void taskhost_test_new_id(char id[TASKHOST_ID_SIZE]) {
    snprintf(id, TASKHOST_ID_SIZE, "00000000-0000-4000-8000-%012d", ++taskhost_test_current->ids);
}
static inline bool taskhost_test_send(task_context *task, const char *id, const char *signature, size_t length) {
    task_test *test = taskhost_test_of(task);
    (void)id;
    if (test->ending != TASK_TEST_RUNNING || length == 0 || signature[0] != '{') {
        return false;
    }
    test->sends++;
    taskhost_test_set(&test->sent, signature, length);
    return true;
}
static inline void taskhost_test_replace(task_context *task, const char *signature, size_t length) {
    if (taskhost_test_ends(task, TASK_TEST_REPLACED)) {
        taskhost_test_set(&taskhost_test_of(task)->result, signature, length);
    }
}
static inline bool taskhost_test_publish(task_context *task, const char *message, size_t length) {
    return taskhost_test_send(task, "", message, length);
}
static inline bool taskhost_test_children(task_context *task, const char *tuples, size_t length) {
    (void)task, (void)tuples, (void)length;
    return true;
}
static inline int taskhost_test_at_exit(void (*leave)(void)) {
    (void)leave;
    return 0;
}
static inline void taskhost_test_on_stop(void (*notify)(void)) { taskhost_test_bundle.notify = notify; }
static inline int taskhost_test_crash_fd(void) { return -1; }

/* As Python binds the arguments of a call; what does not fit is the task's TypeError. */
static inline const taskhost_slice *taskhost_test_bind(task_context *task, size_t *count) {
    task_test *test = taskhost_test_of(task);
    char complaint[256] = "";
    int found = taskhost_test_arguments(test->signature ? test->signature : "", test->body, test->arguments,
                                        test->joined, TASK_TEST_MOST, complaint, sizeof complaint);
    if (found < 0) {
        taskhost_test_fail(task, "TypeError", "builtins", complaint, NULL, NULL);
        return NULL;
    }
    if (count) {
        *count = (size_t)found;
    }
    return test->arguments;
}

static const taskhost_host taskhost_test_host = {
    sizeof(taskhost_host), TASKHOST_ABI_MAJOR, TASKHOST_ABI_MINOR, "test", taskhost_test_describe, taskhost_test_add,
    taskhost_test_text, taskhost_test_number, taskhost_test_should_stop, taskhost_test_stop_fd, taskhost_test_state,
    taskhost_test_log, taskhost_test_succeed, taskhost_test_fail, taskhost_test_retry, taskhost_test_reject,
    taskhost_test_ignore, taskhost_test_new_id, taskhost_test_send, taskhost_test_send, taskhost_test_replace,
    taskhost_test_retry_with, taskhost_test_schedule, taskhost_test_bind, taskhost_test_publish, taskhost_test_children,
    taskhost_test_at_exit, taskhost_test_refuse, taskhost_test_on_stop, taskhost_test_crash_fd,
    taskhost_test_ignore_as};

/* ---- what tests call ---- */

/* Frees what a test holds. */
static inline void task_test_end(task_test *test) {
    int index;
    char **texts[] = {&test->result, &test->type, &test->message, &test->state, &test->meta, &test->line, &test->sent,
                      &test->made_body, &test->joined[0], &test->joined[1]};
    for (index = 0; index < (int)(sizeof texts / sizeof texts[0]); index++) {
        taskhost_test_put(texts[index], NULL);
    }
    close(test->stop[0]);
    close(test->stop[1]);
    if (taskhost_test_current == test) {
        taskhost_test_current = NULL;
    }
}

/* A fresh test, and the context for what it calls. A test that was begun before is ended. */
static inline task_context *task_test_begin(task_test *test) {
    if (taskhost_test_current == test) {
        task_test_end(test);
    }
    memset(test, 0, sizeof *test);
    test->body = "[[], {}, {}]";
    test->headers = "{}";
    test->max_retries = 3;
    if (pipe(test->stop) != 0) {
        abort();
    }
    taskhost_test_current = test;
    if (taskhost_test_bundle.tasks == 0 && taskhost_bundle_v1(&taskhost_test_host) != 0) {
        fprintf(stderr, "taskhost_testing.h: the bundle refuses to be loaded%s%s\n",
                taskhost_test_bundle.refusal[0] ? ": it " : "", taskhost_test_bundle.refusal);
        abort();
    }
    return (task_context *)test;
}

/* Seconds; 0: none. */
static inline void task_test_limits(task_test *test, double soft, double hard) {
    test->soft_limit = soft;
    test->hard_limit = hard;
}

/* Asks the task to stop, as its soft limit or a revocation does. */
static inline void task_test_stop(task_test *test) {
    if (!test->is_stopping) {
        test->is_stopping = true;
        if (write(test->stop[1], "s", 1) != 1) {
            abort();
        }
        if (taskhost_test_bundle.notify) {
            taskhost_test_bundle.notify();
        }
    }
}

/* Lets time pass on the test's clock: at the soft limit the task is asked to stop. */
static inline void task_test_advance(task_test *test, double seconds) {
    test->now += seconds;
    if (test->soft_limit > 0 && test->now >= test->soft_limit) {
        task_test_stop(test);
    }
}

/* Is it this task's name, with or without the bundle's? */
static inline bool taskhost_test_is_called(int index, const char *name) {
    size_t length = taskhost_test_bundle.name ? strlen(taskhost_test_bundle.name) : 0;
    const char *known = taskhost_test_bundle.task[index].name;
    return strcmp(name, known) == 0
           || (taskhost_test_bundle.task[index].is_below && length > 0
               && strncmp(name, taskhost_test_bundle.name, length) == 0 && name[length] == '.'
               && strcmp(name + length + 1, known) == 0);
}

/* Calls a handler (TASK_HANDLER, TASK_FUNCTION) by the task's name, as `taskhost bundles` prints it or without the
 * bundle's, with a JSON array and a JSON object. False: it did not succeed, `ending` says how it ended. A typed task
 * (TASK_DEF) is called as the function it is. */
static inline bool task_test_run(task_test *test, const char *name, const char *args, const char *kwargs) {
    int index;
    for (index = 0; index < taskhost_test_bundle.tasks && !taskhost_test_is_called(index, name); index++) {
    }
    if (index == taskhost_test_bundle.tasks) {
        fprintf(stderr, "taskhost_testing.h: %s is no task of this bundle (say its whole name, or that without the bundle's)\n",
                name);
        abort();
    }
    if (!taskhost_test_bundle.task[index].handler) {
        fprintf(stderr, "taskhost_testing.h: %s is declared by TASK_DEF: call its function\n",
                taskhost_test_bundle.task[index].name);
        abort();
    }
    free(test->made_body);
    test->made_body = (char *)malloc(strlen(args) + strlen(kwargs) + 16);
    if (!test->made_body) {
        abort();
    }
    sprintf(test->made_body, "[%s, %s, {}]", args, kwargs);
    test->body = test->made_body;
    test->signature = taskhost_test_bundle.task[index].signature;
    test->ending = TASK_TEST_RUNNING;
    taskhost_test_bundle.task[index].handler((task_context *)test, taskhost_test_bundle.task[index].user);
    if (test->ending == TASK_TEST_RUNNING) {
        taskhost_test_succeed((task_context *)test, "null", 4);
    }
    return test->ending == TASK_TEST_SUCCEEDED;
}
#endif
