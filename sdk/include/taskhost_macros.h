/*
 * taskhost_macros.h - declaring tasks in C and C++, and the short names for what a task can do.
 * Included by taskhost.h; needs gcc or clang. C99 and C++11 on.
 *
 *     static double add(double x, double y) { return x + y; }
 *     TASK_DEF(add, f64, (f64, x), (f64, y, 0.5));
 *     TASK_OPTIONS(add, .name = "tasks.add", .doc = "The sum of two numbers.");
 *     TASKHOST_BUNDLE("arithmetic", "1.0.0");
 *
 * One file of the bundle says TASKHOST_BUNDLE; tasks may stand in any number of files.
 * In C++ the fields of TASK_OPTIONS come in the order of struct taskhost_options.
 */
#ifndef TASKHOST_MACROS_H
#define TASKHOST_MACROS_H
#include "taskhost.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- types of typed tasks ---- */

/* Parameter and result type `bytes`, passed by value. A parameter is valid until the task returns; a result is copied,
 * so it may lie in static memory but not in the function's own frame. */
typedef struct taskhost_bytes {
    const void *data;
    size_t length;
} taskhost_bytes;

typedef int8_t taskhost_type_i8;
typedef int16_t taskhost_type_i16;
typedef int32_t taskhost_type_i32;
typedef int64_t taskhost_type_i64;
typedef uint8_t taskhost_type_u8;
typedef uint16_t taskhost_type_u16;
typedef uint32_t taskhost_type_u32;
typedef uint64_t taskhost_type_u64;
typedef float taskhost_type_f32;
typedef double taskhost_type_f64;
typedef bool taskhost_type_bool;
typedef bool taskhost_type__Bool;
typedef void taskhost_type_void;
typedef taskhost_bytes taskhost_type_bytes;
typedef task_context *taskhost_type_context;
/* UTF-8. Parameters are borrowed for the call, never NULL unless the default is null; results are copied. */
typedef const char *taskhost_type_str;
/* JSON text. Borrowed and copied as str is. */
typedef const char *taskhost_type_json;
/* Results only: made with malloc, freed by the runner. */
typedef char *taskhost_type_str_owned;
typedef char *taskhost_type_json_owned;

/* `bool` may be a macro for _Bool, so that names are looked up instead of written down. */
#define TASKHOST_NAME_i8 "i8"
#define TASKHOST_NAME_i16 "i16"
#define TASKHOST_NAME_i32 "i32"
#define TASKHOST_NAME_i64 "i64"
#define TASKHOST_NAME_u8 "u8"
#define TASKHOST_NAME_u16 "u16"
#define TASKHOST_NAME_u32 "u32"
#define TASKHOST_NAME_u64 "u64"
#define TASKHOST_NAME_f32 "f32"
#define TASKHOST_NAME_f64 "f64"
#define TASKHOST_NAME_bool "bool"
#define TASKHOST_NAME__Bool "bool"
#define TASKHOST_NAME_void "void"
#define TASKHOST_NAME_bytes "bytes"
#define TASKHOST_NAME_context "context"
#define TASKHOST_NAME_str "str"
#define TASKHOST_NAME_json "json"
#define TASKHOST_NAME_str_owned "str_owned"
#define TASKHOST_NAME_json_owned "json_owned"

/* ---- how a declaration reaches the bundle's entry point ---- */

/* A list through all files of the library, made while it is loaded, newest first. */
struct taskhost_declaration {
    taskhost_task *task;
    const taskhost_options *options; /* NULL: this declares the task itself, or a schedule of it */
    taskhost_schedule *schedule;
    struct taskhost_declaration *next;
};
#ifdef __cplusplus
#define TASKHOST_C extern "C"
#else
#define TASKHOST_C extern
#endif
#define TASKHOST_HIDDEN __attribute__((visibility("hidden")))
#define TASKHOST_DECLARE(id)                                                                                         \
    __attribute__((constructor)) static void id##_declare(void) {                                                    \
        id.next = taskhost_declarations;                                                                             \
        taskhost_declarations = &id;                                                                                 \
    }                                                                                                                \
    struct taskhost_declaration

/* A linker that misses it says what to do. */
#define taskhost_declarations write_TASKHOST_BUNDLE_in_one_file_of_this_bundle
TASKHOST_C TASKHOST_HIDDEN struct taskhost_declaration *taskhost_declarations;
/* The host's functions; set when the bundle is loaded. */
TASKHOST_C TASKHOST_HIDDEN const taskhost_host *taskhost_functions;

#include "taskhost_lists.h"

/* ---- the compile-time check ---- */

#define TASKHOST_WRONG_TYPE(function) #function "() is not of the type its TASK_DEF declares"
#ifdef __cplusplus
template <class Wanted> constexpr bool taskhost_fits(Wanted) { return true; }
template <class Wanted> constexpr bool taskhost_fits(...) { return false; }
#define TASKHOST_CHECK(function, result, ...)                                                                        \
    static_assert(taskhost_fits<result (*)(__VA_ARGS__)>(&function), TASKHOST_WRONG_TYPE(function))
#else
#define TASKHOST_CHECK(function, result, ...)                                                                        \
    __extension__ _Static_assert(                                                                                    \
        __builtin_types_compatible_p(__typeof__(&function), result (*)(__VA_ARGS__)), TASKHOST_WRONG_TYPE(function))
#endif

/* ---- declaring tasks ---- */

#define TASKHOST_TASK(id, title, text, typed, context)                                                               \
    static taskhost_task id##_task = {                                                                               \
        sizeof(taskhost_task), 0, title, text, typed, context, 0, 0};                                                \
    static struct taskhost_declaration id = {&id##_task, 0, 0, 0};                                                        \
    TASKHOST_DECLARE(id)

/* TASK_DEF(function, result type, (type, name [, default]) ...): a function of plain values. */
#define TASK_DEF(function, ...)                                                                                      \
    TASKHOST_CHECK(function, TASKHOST_TYPE_OF(TASKHOST_RESULT(__VA_ARGS__)), TASKHOST_TYPES(__VA_ARGS__));           \
    TASKHOST_TASK(taskhost_##function, #function,                                                                    \
                  TASKHOST_TEXTS(__VA_ARGS__) "->" TASKHOST_NAME_OF(TASKHOST_RESULT(__VA_ARGS__)),                   \
                  (void (*)(void))function, 0)

/* The same for a function whose first parameter is task_context *task (not listed). */
#define TASK_DEF_CTX(function, ...)                                                                                  \
    TASKHOST_CHECK(function, TASKHOST_TYPE_OF(TASKHOST_RESULT(__VA_ARGS__)), TASKHOST_CTX_TYPES(__VA_ARGS__));       \
    TASKHOST_TASK(taskhost_##function, #function,                                                                    \
                  "task:context," TASKHOST_TEXTS(__VA_ARGS__)                                                        \
                      "->" TASKHOST_NAME_OF(TASKHOST_RESULT(__VA_ARGS__)),                                           \
                  (void (*)(void))function, 0)

/* TASK_HANDLER(function): void function(task_context *task), which reads task_body() itself. */
#define TASK_HANDLER(function) TASK_HANDLER_DOC(function, "")
/* With a text for people: "path:str,width:int=800->dict". */
#define TASK_HANDLER_DOC(function, text)                                                                             \
    static void taskhost_##function##_call(task_context *task, void *user) {                                         \
        (void)user;                                                                                                  \
        function(task);                                                                                              \
    }                                                                                                                \
    TASKHOST_TASK(taskhost_##function, #function, text, 0, taskhost_##function##_call)

/* TASK_OPTIONS(function, .name = "images.resize", .soft_limit = 5, ...): after the task's own declaration. */
#define TASK_OPTIONS(function, ...)                                                                                  \
    TASKHOST_OPTIONS_BEGIN static const taskhost_options taskhost_##function##_options = {                           \
        .size = sizeof(taskhost_options), __VA_ARGS__};                                                              \
    TASKHOST_OPTIONS_END static struct taskhost_declaration taskhost_##function##_with_options = {                   \
        &taskhost_##function##_task, &taskhost_##function##_options, 0, 0};                                             \
    TASKHOST_DECLARE(taskhost_##function##_with_options)

/* TASK_SCHEDULE(function, nightly, .cron = "30 2 * * *", .args = "[7]", ...): after the task's own declaration. The
 * schedule is called "<bundle>.nightly"; a task may have several. */
#define TASK_SCHEDULE(function, label, ...)                                                                          \
    TASKHOST_OPTIONS_BEGIN static taskhost_schedule taskhost_##function##_at_##label = {                             \
        .size = sizeof(taskhost_schedule), .name = #label, __VA_ARGS__};                                             \
    TASKHOST_OPTIONS_END static struct taskhost_declaration taskhost_##function##_sent_##label = {                   \
        &taskhost_##function##_task, 0, &taskhost_##function##_at_##label, 0};                                       \
    TASKHOST_DECLARE(taskhost_##function##_sent_##label)
/* Fields left out are zero, which is meant; designated fields are old in C and new in C++. */
#if defined(__clang__)
#define TASKHOST_OPTIONS_BEGIN                                                                                       \
    _Pragma("clang diagnostic push") _Pragma("clang diagnostic ignored \"-Wmissing-field-initializers\"")            \
    _Pragma("clang diagnostic ignored \"-Wpragmas\"") _Pragma("clang diagnostic ignored \"-Wunknown-warning-option\"") \
    _Pragma("clang diagnostic ignored \"-Wc++20-designator\"")
#define TASKHOST_OPTIONS_END _Pragma("clang diagnostic pop")
#elif defined(__cplusplus)
#define TASKHOST_OPTIONS_BEGIN                                                                                       \
    _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wmissing-field-initializers\"")                \
    _Pragma("GCC diagnostic ignored \"-Wc++20-extensions\"")
#define TASKHOST_OPTIONS_END _Pragma("GCC diagnostic pop")
#else
#define TASKHOST_OPTIONS_BEGIN
#define TASKHOST_OPTIONS_END
#endif

#ifdef __cplusplus
#define TASKHOST_LANGUAGE " c++"
#else
#define TASKHOST_LANGUAGE " c"
#endif

/* Once per bundle: its name and version. Tasks without a .name are called "<bundle>.<function>". */
#define TASKHOST_BUNDLE(title, release)                                                                              \
    struct taskhost_declaration *taskhost_declarations;                                                              \
    const taskhost_host *taskhost_functions;                                                                         \
    TASKHOST_EXPORT int taskhost_bundle_v1(const taskhost_host *host) {                                              \
        static const taskhost_bundle_info info = {                                                                   \
            sizeof(taskhost_bundle_info), TASKHOST_ABI_MAJOR, TASKHOST_ABI_MINOR, title, release,                    \
            TASKHOST_SDK_VERSION TASKHOST_LANGUAGE};                                                                 \
        taskhost_functions = host;                                                                                   \
        return taskhost_register(host, &info, taskhost_declarations);                                                \
    }                                                                                                                \
    TASKHOST_C const taskhost_host *taskhost_functions

static inline int taskhost_register(const taskhost_host *host, const taskhost_bundle_info *info,
                                    struct taskhost_declaration *newest) {
    struct taskhost_declaration *oldest = 0, *at, *older;
    int refusal = host->describe(info);
    for (at = newest; at; at = older) { /* turns the list around, so that tasks keep the order of the source */
        older = at->next;
        at->next = oldest;
        oldest = at;
        if (at->options) {
            at->task->options = at->options;
        }
    }
    for (at = oldest; at && refusal == 0; at = at->next) {
        if (!at->options && !at->schedule) {
            refusal = host->add(at->task);
        }
    }
    for (at = oldest; at && refusal == 0; at = at->next) {
        if (at->schedule) {
            at->schedule->task = at->task->name;
            refusal = host->schedule(at->schedule);
        }
    }
    return refusal;
}

/* ---- what a task can ask ---- */

/* The message's id. */
static inline const char *task_id(const task_context *task) {
    return taskhost_functions->text(task, TASKHOST_TEXT_ID, 0);
}
/* JSON: [args, kwargs, embed]; *length (may be NULL) without the terminator. */
static inline const char *task_body(const task_context *task, size_t *length) {
    return taskhost_functions->text(task, TASKHOST_TEXT_BODY, length);
}
/* In a TASK_HANDLER_DOC: one JSON value for each parameter of its signature; see taskhost_host.bind. NULL: they do not
 * fit, and the task has failed: return. */
static inline const taskhost_slice *task_bind(task_context *task, size_t *count) {
    return taskhost_functions->bind(task, count);
}
/* JSON object: all message headers. */
static inline const char *task_headers(const task_context *task, size_t *length) {
    return taskhost_functions->text(task, TASKHOST_TEXT_HEADERS, length);
}
/* JSON object: the message's properties ("priority", "reply_to" ...); see TASKHOST_TEXT_PROPERTIES. */
static inline const char *task_properties(const task_context *task, size_t *length) {
    return taskhost_functions->text(task, TASKHOST_TEXT_PROPERTIES, length);
}
/* "00-<trace>-<span>-<flags>", the span of this run; NULL when its message belongs to no trace. */
static inline const char *task_traceparent(const task_context *task) {
    return taskhost_functions->text(task, TASKHOST_TEXT_TRACEPARENT, NULL);
}
/* Any enum taskhost_text; NULL when there is none. */
static inline const char *task_text(const task_context *task, int which) {
    return taskhost_functions->text(task, which, 0);
}
/* Any enum taskhost_number. */
static inline double task_number(const task_context *task, int which) {
    return taskhost_functions->number(task, which);
}
/* How often it was tried before: 0 the first time. */
static inline int task_retries(const task_context *task) {
    return (int)taskhost_functions->number(task, TASKHOST_NUMBER_RETRIES);
}
/* Seconds to the hard limit; INFINITY without one. */
static inline double task_time_left(const task_context *task) {
    return taskhost_functions->number(task, TASKHOST_NUMBER_TIME_LEFT);
}
/* True from the soft limit on: clean up and return. */
static inline bool task_should_stop(const task_context *task) {
    return taskhost_functions->should_stop(task);
}
/* For poll(): readable when task_should_stop() is true. -1 if there is none. Neither read nor close it. */
static inline int task_stop_fd(task_context *task) {
    return taskhost_functions->stop_fd(task);
}

/* ---- what a task can say while it runs ---- */

/* A state of its own, e.g. task_state(task, "UPLOADING", "{\"part\": 3}"). meta: JSON, NULL for null. */
static inline void task_state(task_context *task, const char *state, const char *meta) {
    taskhost_functions->update_state(task, state, meta ? meta : "null", meta ? strlen(meta) : 4);
}
/* State PROGRESS with {"done": done, "total": total}, and for who reads Celery's examples and celery-progress the same as
 * "current" and "percent". */
static inline void task_progress(task_context *task, int64_t done, int64_t total) {
    char meta[160];
    snprintf(meta, sizeof meta, "{\"done\":%lld,\"total\":%lld,\"current\":%lld,\"percent\":%.2f}", (long long)done,
             (long long)total, (long long)done, total > 0 ? 100.0 * (double)done / (double)total : 0.0);
    task_state(task, "PROGRESS", meta);
}
/* A line for the host's log, at most 1023 bytes; level: enum taskhost_level. */
__attribute__((format(printf, 3, 4))) static inline void task_log(task_context *task, int level, const char *format,
                                                                  ...) {
    char line[1024];
    va_list arguments;
    int length;
    va_start(arguments, format);
    length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length >= 0) {
        taskhost_functions->log(task, level, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
    }
}

/* ---- other tasks ---- */

/* Sends a signature as Celery's clients write it, JSON: {"task": "sums.add", "args": [2, 2], "kwargs": {},
 * "options": {}, "subtask_type": null, "immutable": false}. id (may be NULL): where to put the new task's id.
 * False, and nothing is sent, when it is no JSON object. */
static inline bool task_send(task_context *task, const char *signature, char id[TASKHOST_ID_SIZE]) {
    char own[TASKHOST_ID_SIZE];
    char *made = id ? id : own;
    taskhost_functions->new_id(made);
    return taskhost_functions->send(task, made, signature, strlen(signature));
}
/* The same, as one member more of the chord that this task is part of. */
static inline bool task_add_to_chord(task_context *task, const char *signature, char id[TASKHOST_ID_SIZE]) {
    char own[TASKHOST_ID_SIZE];
    char *made = id ? id : own;
    taskhost_functions->new_id(made);
    return taskhost_functions->add_to_chord(task, made, signature, strlen(signature));
}

/* ---- how a task ends, if not by returning; say one of these, then return ---- */

/* The result as JSON text. */
static inline void task_succeed_json(task_context *task, const char *json) {
    taskhost_functions->succeed(task, json, strlen(json));
}
/* The module of Python's built-in exceptions; NULL for names of the bundle's own. */
static inline const char *taskhost_module_of(const char *type) {
    static const char *const builtins[] = {
        "ArithmeticError", "AssertionError", "AttributeError", "EOFError", "FileExistsError", "FileNotFoundError",
        "IndexError", "KeyError", "LookupError", "MemoryError", "NotImplementedError", "OSError", "OverflowError",
        "PermissionError", "RuntimeError", "TimeoutError", "TypeError", "UnicodeError", "ValueError",
        "ZeroDivisionError"};
    size_t index;
    for (index = 0; index < sizeof builtins / sizeof builtins[0]; index++) {
        if (strcmp(type, builtins[index]) == 0) {
            return "builtins";
        }
    }
    return 0;
}
/* With the place in the source as traceback, as Python writes it. What the macros below become. */
static inline void taskhost_fail_at(task_context *task, const char *type, const char *module, const char *message,
                                    const char *file, int line, const char *function) {
    char traceback[2048];
    snprintf(traceback, sizeof traceback, "Traceback (most recent call last):\n  File \"%s\", line %d, in %s\n%s: %s\n",
             file, line, function, type, message ? message : "");
    taskhost_functions->fail(task, type, module, message, 0, traceback);
}
/* An exception for the caller: task_fail(task, "ValueError", "width must be positive").
 * Python clients see a built-in exception of that name if there is one. The traceback says where this stands. */
#define task_fail(task, type, message)                                                                               \
    taskhost_fail_at(task, type, taskhost_module_of(type), message, __FILE__, __LINE__, __func__)
/* With a text of one's own as traceback. */
static inline void task_fail_with_traceback(task_context *task, const char *type, const char *message,
                                            const char *traceback) {
    taskhost_functions->fail(task, type, taskhost_module_of(type), message, 0, traceback);
}
static inline void taskhost_fail_soft_limit_at(task_context *task, const char *file, int line, const char *function) {
    char message[64];
    double seconds = taskhost_functions->number(task, TASKHOST_NUMBER_SOFT_LIMIT);
    if (seconds > 0) {
        snprintf(message, sizeof message, "the soft limit of %g s is reached", seconds);
    } else {
        snprintf(message, sizeof message, "the task was asked to stop");
    }
    taskhost_fail_at(task, "SoftTimeLimitExceeded", "billiard.exceptions", message, file, line, function);
}
/* What Celery clients expect of a task that gave up at its soft limit. */
#define task_fail_soft_limit(task) taskhost_fail_soft_limit_at(task, __FILE__, __LINE__, __func__)
/* Run it again after so many seconds; < 0: as the task's options say. reason may be NULL. */
static inline void task_retry(task_context *task, double countdown, const char *reason) {
    taskhost_functions->retry(task, countdown, -2, reason);
}
/* The same with everything that may be said about it:
 * taskhost_retry_options again = TASKHOST_RETRY; again.args = "[2]"; ... */
static inline void task_retry_with(task_context *task, const taskhost_retry_options *retry) {
    taskhost_functions->retry_with(task, retry);
}
/* The signature (see task_send) takes this task's place and gives its result. */
static inline void task_replace(task_context *task, const char *signature) {
    taskhost_functions->replace(task, signature, strlen(signature));
}
/* Give the message up (it is dead-lettered), or back to the queue. */
static inline void task_reject(task_context *task, const char *reason, bool requeue) {
    taskhost_functions->reject(task, reason, requeue);
}
/* Done, and no result is stored. */
static inline void task_ignore(task_context *task) {
    taskhost_functions->ignore(task);
}
#endif
