/*
 * taskhost.h - the whole contract between a host and a bundle.
 *
 * A bundle is a shared library with one exported function, taskhost_bundle_v1.
 * It never links against the host: the host hands it a table of functions.
 *
 * Compatibility: a bundle built for ABI 1.x runs on every host of ABI 1.y with
 * y >= x. Structs carry their size first and grow at the end only; who reads a
 * struct honours its size.
 *
 * Units: seconds as double; sizes in bytes; text is UTF-8 and NUL-terminated
 * unless a length stands beside it.
 */
#ifndef TASKHOST_H
#define TASKHOST_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TASKHOST_ABI_MAJOR 1
#define TASKHOST_ABI_MINOR 4
#define TASKHOST_SDK_VERSION "1.4.0"

/* One task being run. Owned by the runner, valid until the handler returns. */
typedef struct task_context task_context;

/* Three-valued switches: 0 leaves the operator's default. */
#define TASKHOST_YES 1
#define TASKHOST_NO (-1)
/* For max_retries: no bound; and not even one. */
#define TASKHOST_UNLIMITED INT32_MAX
#define TASKHOST_NEVER (-1)
/* Room for a task id as new_id() makes them (a UUID) and its terminator. */
#define TASKHOST_ID_SIZE 37

/* What a task asks for. Every field may stay zero: "as the operator says". */
typedef struct taskhost_options {
    uint32_t size;             /* filled in by TASK_OPTIONS */
    int32_t max_retries;       /* 0: 3; TASKHOST_NEVER; TASKHOST_UNLIMITED */
    const char *name;          /* task name; NULL: the function's, after the bundle's name and a dot */
    double soft_limit;         /* seconds from the start */
    double hard_limit;
    double retry_delay;        /* seconds before a retry without a countdown of its own; 0: 180 */
    double retry_backoff;      /* > 0: a failure is retried by itself after min(max, backoff * 2^retries) seconds;
                                  fractions count */
    double retry_backoff_max;  /* 0: 600 */
    int32_t retry_jitter;      /* three-valued; default yes: a random delay in [0, delay] */
    int32_t autoretry;         /* three-valued; default: yes if retry_backoff > 0 */
    int32_t acks_late;         /* three-valued; default yes */
    int32_t track_started;     /* three-valued; default as the operator says */
    int32_t ignore_result;     /* three-valued; default no */
    int32_t max_starts;        /* starts that end in a crash before the message is dead-lettered; 0: 3 */
    int32_t keep;              /* > 0: one child may serve so many tasks in turn; 0: a fresh child for each */
    int32_t reserved0;
    const char *queue;         /* where clients without a route of their own should send it; NULL: default */
    const char *rate_limit;    /* "10/s", "100/m", "1000/h"; NULL: none */
    const char *doc;           /* a sentence or two for `taskhost bundles` */
    /* ---- ABI 1.1 ---- */
    int32_t takes_failure;     /* three-valued; default no: as an errback it gets (failed task's id), and runs as a
                                  task of its own; yes: (request, exception, traceback), and leaves no result */
    int32_t acks_on_failure;   /* three-valued; default yes; no: the message of a failure goes to the dead letters */
    int32_t acks_on_timeout;   /* three-valued; default yes; no: a task killed at its hard limit is started again */
    int32_t reject_on_worker_lost; /* three-valued; default yes; no: a child's death is the task's failure, at once */
    int32_t memory_limit;      /* MiB that the task's processes may have resident; above it they are killed; 0: none */
    int32_t max_concurrent;    /* tasks of this name that run at a time; 0: as many as there are slots for */
    const char *limit_scope;   /* whose tasks rate_limit and max_concurrent count: "worker" (and NULL), "global" */
    const char *limit_key;     /* they count for each value of this argument: its name, its position from 0; with
                                  ":domain" for each host in that URL; NULL: for all together */
    /* ---- ABI 1.2 ---- */
    const char *autoretry_for;     /* only failures of these names are retried by themselves: "TimeoutError, OSError",
                                  each a type or module.type as the task fails with; NULL: all of them */
    const char *dont_autoretry_for; /* failures of these names are final, whatever else is said; NULL: none */
    /* ---- ABI 1.4 ---- */
    int32_t store_errors_even_if_ignored; /* three-valued; default no; yes: with ignore_result failures are stored */
} taskhost_options;

/* One task. Either `function` (typed; called through libffi by `signature`) or
 * `handler` (called with the context) is set.
 *
 * signature: "x:f64,y:f64=0.5->f64": name:type[=JSON default], ... -> type.
 *   types: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 bool str bytes json void
 *   a first parameter "task:context" makes a typed function take the context.
 *   With `handler` it is documentation, and what taskhost_host.bind goes by; then
 *   any other type text is allowed, for example a Swift type's name. A last
 *   "*name:type" takes the positional arguments that are left over, and after it
 *   "**name:type" the keyword ones (ABI 1.3, handlers only).
 */
typedef struct taskhost_task {
    uint32_t size;
    uint32_t flags; /* none yet */
    const char *name;
    const char *signature;
    void (*function)(void);
    void (*handler)(task_context *task, void *user);
    void *user;
    const taskhost_options *options; /* may be NULL */
} taskhost_task;

/* A task to be sent at set times (ABI 1.1), by `taskhost beat` and by workers with -B. The operator may change each
 * field, or switch it off, in [schedules.NAME]. One of cron and every says when. */
typedef struct taskhost_schedule {
    uint32_t size;         /* filled in by TASK_SCHEDULE */
    uint32_t reserved0;
    const char *name;      /* without a dot it gets the bundle's name and a dot before it */
    const char *task;      /* as taskhost_task.name has it, or the full name of any task, in another bundle too */
    const char *cron;      /* "minute hour day-of-month month day-of-week", as Celery has it */
    double every;          /* seconds */
    const char *timezone;  /* "Europe/Berlin", "local"; NULL: UTC */
    const char *args;      /* JSON array; NULL: [] */
    const char *kwargs;    /* JSON object; NULL: {} */
    const char *queue;     /* NULL: by the operator's routes */
    const char *missed;    /* due times while no process led: "skip", "once", "all"; NULL: "once" */
    double expires;        /* seconds after sending from which it is not to be run any more; 0: never */
    int32_t priority;      /* 0...255 */
    int32_t relative;      /* three-valued; default no: `every` goes by round times of the clock */
} taskhost_schedule;

typedef struct taskhost_bundle_info {
    uint32_t size;
    uint16_t abi_major, abi_minor; /* the header the bundle was built with */
    const char *name;
    const char *version;
    const char *sdk; /* TASKHOST_SDK_VERSION, with a word for the language, e.g. "1.0.0 swift" */
} taskhost_bundle_info;

/* A retry with everything that may be said about it (ABI 1.1). Start from TASKHOST_RETRY. */
typedef struct taskhost_retry_options {
    uint32_t size;
    int32_t max_retries;   /* < -1: the task's own; -1: unlimited */
    double countdown;      /* seconds; < 0: by the task's policy */
    double expires;        /* seconds from now, then it is not started any more; <= 0: as the message says */
    const char *type;      /* the failure that is the reason, and the result once the retries are used up: as in */
    const char *module;    /* taskhost_host.fail; type NULL: none */
    const char *message;
    const char *arguments;
    const char *traceback;
    const char *args;      /* JSON array: the next attempt's positional arguments; NULL: the same again */
    const char *kwargs;    /* JSON object: its keyword arguments; NULL: the same again */
    /* ---- ABI 1.2 ---- */
    const char *queue;     /* where the next attempt goes; NULL: the queue this one came from */
    int32_t priority;      /* of the next attempt, 0...255; < 0: as this one */
    int32_t reserved0;
    /* ---- ABI 1.4 ---- */
    const char *next;      /* the next attempt's message, as taskhost_host.publish takes it: of all else only countdown,
                              max_retries and the reason are looked at then; NULL: made by the host */
} taskhost_retry_options;
#define TASKHOST_RETRY {sizeof(taskhost_retry_options), -2, -1, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0, 0}

enum taskhost_text {
    TASKHOST_TEXT_ID = 1,
    TASKHOST_TEXT_NAME = 2,
    TASKHOST_TEXT_ROOT_ID = 3,
    TASKHOST_TEXT_PARENT_ID = 4,
    TASKHOST_TEXT_GROUP_ID = 5,
    TASKHOST_TEXT_QUEUE = 6,
    TASKHOST_TEXT_BODY = 7,    /* JSON: [args, kwargs, embed] */
    TASKHOST_TEXT_HEADERS = 8, /* JSON object: all message headers */
    /* ABI 1.1. JSON object: the message's properties under their AMQP names, where set: content_type,
     * content_encoding, correlation_id, reply_to, priority, delivery_mode, expiration, message_id, timestamp, type,
     * user_id, app_id; and delivery_info: {exchange, routing_key, priority, redelivered}. */
    TASKHOST_TEXT_PROPERTIES = 9,
    /* W3C trace context, ABI 1.1: what spans of the task's own belong to; also in the environment, as TRACEPARENT and
     * TRACESTATE. The host puts it into everything the task sends. */
    TASKHOST_TEXT_TRACEPARENT = 10,
    TASKHOST_TEXT_TRACESTATE = 11,
};
enum taskhost_number {
    TASKHOST_NUMBER_RETRIES = 1,
    TASKHOST_NUMBER_STARTS = 2,
    TASKHOST_NUMBER_MAX_RETRIES = 3, /* -1: unlimited */
    TASKHOST_NUMBER_SOFT_LIMIT = 4,  /* seconds; 0: none */
    TASKHOST_NUMBER_HARD_LIMIT = 5,
    TASKHOST_NUMBER_TIME_LEFT = 6,   /* seconds to the hard limit; infinity without one */
    TASKHOST_NUMBER_ETA = 7,         /* Unix time; 0: none */
    TASKHOST_NUMBER_REDELIVERED = 8, /* 1 or 0 */
};

/* One JSON value as text (ABI 1.3): `length` bytes, not terminated. */
typedef struct taskhost_slice {
    const char *text;
    size_t length;
} taskhost_slice;

enum taskhost_level { TASKHOST_DEBUG = 0, TASKHOST_INFO = 1, TASKHOST_WARNING = 2, TASKHOST_ERROR = 3 };

/* How a task ends. The first of succeed, fail, retry, reject, ignore counts; later ones are dropped. */
typedef struct taskhost_host {
    uint32_t size;
    uint16_t abi_major, abi_minor;
    const char *version; /* the host's, e.g. "0.1.0" */

    /* ---- while loading; 0 = accepted, else the host has noted why not: return the number ---- */
    int (*describe)(const taskhost_bundle_info *info);
    int (*add)(const taskhost_task *task); /* everything is copied */

    /* ---- while a task runs ---- */
    /* NULL when there is none. *length (may be NULL) without the terminator. */
    const char *(*text)(const task_context *task, int which, size_t *length);
    double (*number)(const task_context *task, int which);
    /* True from the soft limit (or a revocation) on. */
    bool (*should_stop)(const task_context *task);
    /* Readable from then on; -1 if the system has no descriptor left. Don't read or close it. */
    int (*stop_fd)(task_context *task);
    /* state: upper case word, e.g. "PROGRESS"; meta: JSON, copied. SUCCESS, FAILURE, RETRY and REVOKED are how a task
     * ends, not states of its own: they are dropped, with a line in the log. */
    void (*update_state)(task_context *task, const char *state, const char *meta, size_t length);
    void (*log)(task_context *task, int level, const char *text, size_t length);

    void (*succeed)(task_context *task, const char *json, size_t length);
    /* type: e.g. "ValueError"; module: e.g. "builtins", NULL: "taskhost.errors";
     * arguments: JSON array of the exception's arguments, or NULL for [message];
     * traceback: text for the operator; NULL: "type: message"; empty (ABI 1.4): none is recorded. */
    void (*fail)(task_context *task, const char *type, const char *module, const char *message,
                 const char *arguments, const char *traceback);
    /* countdown: seconds, < 0: by the task's policy. max_retries: < -1: the task's own. reason may be NULL. */
    void (*retry)(task_context *task, double countdown, int max_retries, const char *reason);
    void (*reject)(task_context *task, const char *reason, bool requeue);
    void (*ignore)(task_context *task);

    /* ---- ABI 1.1 ---- */
    /* A new task id. Within a task it follows from the task's own id, name, arguments and retries and from the number of
     * calls so far: a start after a crash makes the same ids in the same order, so that what it sends again is the same. */
    void (*new_id)(char id[TASKHOST_ID_SIZE]);
    /* Publishes a signature as Celery's clients write it (plain, chain, group, chord); copied; published while the
     * task runs on. `id` is for the task, a chain's last task, a group, or a chord's body; options.task_id in the
     * signature wins over it. False, and nothing is sent, when it is no JSON object or the task is over. */
    bool (*send)(task_context *task, const char *id, const char *signature, size_t length);
    /* The same, as one member more of the chord that this task is part of. */
    bool (*add_to_chord)(task_context *task, const char *id, const char *signature, size_t length);
    /* Ends the task: the signature takes its place and gives its result. "null" (ABI 1.4): something that it has published
     * itself takes its place, with all that was to follow it. */
    void (*replace)(task_context *task, const char *signature, size_t length);
    void (*retry_with)(task_context *task, const taskhost_retry_options *retry);
    /* While loading, as describe and add: everything is copied. */
    int (*schedule)(const taskhost_schedule *schedule);

    /* ---- ABI 1.3 ---- */
    /* For handlers: the message's arguments, bound to the signature's parameters as Python binds those of a call. One
     * slice for each parameter, in their order; *count (may be NULL): how many. text NULL: not given, take the default.
     * A "*name" gets a JSON array, a "**name" a JSON object, in which the last of equal keys counts; empty where nothing
     * is left over. Valid until the handler returns. By the thread that called the handler.
     * NULL: the arguments do not fit, and the task has failed with Python's TypeError: return. */
    const taskhost_slice *(*bind)(task_context *task, size_t *count);

    /* ---- ABI 1.4 ---- */
    /* Publishes a message that is complete, with headers, properties and encoded body, for bundles that bring a client
     * library of their own; copied; published while the task runs on, and confirmed before it is settled. A JSON object:
     * "exchange" (absent or "": the default one), "routing_key", "headers" (an object), "properties" (an object, AMQP
     * names as in TASKHOST_TEXT_PROPERTIES), "body" (base64), and for a queue that may be missing "queue": {"name",
     * "arguments"}. False, and nothing is sent, when it is no JSON object or the task is over. */
    bool (*publish)(task_context *task, const char *message, size_t length);
    /* What the task has called by messages of its own making, as its result names it: a JSON array of Celery's result
     * tuples, added to those of send. */
    bool (*add_children)(task_context *task, const char *tuples, size_t length);
    /* While loading: `leave` is called in each child that has run a task and ends by itself, after its last result; no task
     * runs then, and nothing is sent. Children that are killed or crash call nothing. Once per bundle: 0 = accepted. */
    int (*at_exit)(void (*leave)(void));
    /* While loading: notes why the bundle cannot be used, in words that follow its name ("needs ...");
     * more lines may follow, for the log. Returns what taskhost_bundle_v1 is to return. */
    int (*refuse)(const char *why);
    /* While loading: from now on `notify` is called when a task is to stop (its soft limit, a revocation): in a signal
     * handler of any thread, so it may do only what is safe there, such as pthread_kill. System calls that the task is in
     * then end with EINTR, instead of being begun again. NULL: no more. */
    void (*on_stop)(void (*notify)(void));
    /* While loading: the number of a descriptor to which, in a child, a handler of a fatal signal may write lines of
     * text: the stack as the language sees it. They stand in the task's failure after the native stack. 12 KiB at most.
     * -1: no descriptor is left. */
    int (*crash_fd)(void);
    /* Ends the task as `ignore` does, and leaves it in this state, which is stored before the message is settled; of any
     * name, since no other will follow. meta: JSON, copied; NULL: null. */
    void (*ignore_as)(task_context *task, const char *state, const char *meta, size_t length);
} taskhost_host;

/* The one exported symbol. 0 = registered. Runs once, in the zygote: it must not
 * start threads and must not fork. */
typedef int (*taskhost_entry)(const taskhost_host *host);
#define TASKHOST_ENTRY_NAME "taskhost_bundle_v1"
#if defined(__GNUC__)
#define TASKHOST_EXPORT __attribute__((visibility("default")))
#else
#define TASKHOST_EXPORT
#endif
#ifndef __swift__
TASKHOST_EXPORT int taskhost_bundle_v1(const taskhost_host *host);
#endif

#ifdef __cplusplus
}
#endif

/* The macros and the short names for C and C++ (TASK_DEF, TASKHOST_BUNDLE, task_progress ...). */
#ifndef __swift__
#include "taskhost_macros.h"
#endif
#endif
