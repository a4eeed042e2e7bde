/* Every type in and out, and everything a context can say. */
#include <taskhost.h>

#include <stdlib.h>
#include <unistd.h>

#define ECHO(type)                                                                                                   \
    static taskhost_type_##type echo_##type(taskhost_type_##type x) { return x; }                                    \
    TASK_DEF(echo_##type, type, (type, x))
ECHO(i8);
ECHO(i16);
ECHO(i32);
ECHO(i64);
ECHO(u8);
ECHO(u16);
ECHO(u32);
ECHO(u64);
ECHO(f32);
ECHO(f64);
ECHO(str);
ECHO(bytes);
ECHO(json);
static bool echo_bool(bool x) { return x; }
TASK_DEF(echo_bool, bool, (bool, x));

static char *owned(const char *x) { return strdup(x); }
TASK_DEF(owned, str_owned, (str, x));
static char *owned_json(const char *x) { return strdup(x); }
TASK_DEF(owned_json, json_owned, (str, x));
static bool is_null(const char *x) { return x == NULL; }
TASK_DEF(is_null, bool, (str, x, null));
static int64_t one(void) { return 1; }
TASK_DEF(one, i64);
static double defaults(double x, double y, const char *s, bool b, const char *j) {
    return x + y + (double)strlen(s) + b + (double)strlen(j);
}
TASK_DEF(defaults, f64, (f64, x), (f64, y, 0.5), (str, s, "a,b"), (bool, b, true), (json, j, {"a": [1, 2], "b": 3}));
static int32_t three(int32_t x, int32_t y, int32_t z) { return x + y + z; }
TASK_DEF(three, i32, (i32, x), (i32, y), (i32, z));
static int32_t sixteen(int32_t a, double b, int32_t c, double d, int32_t e, double f, int32_t g, double h, int32_t i,
                       double j, int32_t k, double l, int32_t m, double n, int32_t o, double p) {
    return (int32_t)(a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p);
}
TASK_DEF(sixteen, i32, (i32, a), (f64, b), (i32, c), (f64, d), (i32, e), (f64, f), (i32, g), (f64, h), (i32, i),
         (f64, j), (i32, k), (f64, l), (i32, m), (f64, n), (i32, o), (f64, p));

static void describe(task_context *task) {
    const int texts[] = {TASKHOST_TEXT_ID, TASKHOST_TEXT_NAME, TASKHOST_TEXT_ROOT_ID, TASKHOST_TEXT_PARENT_ID,
                         TASKHOST_TEXT_GROUP_ID, TASKHOST_TEXT_QUEUE};
    char out[4096] = "{\"texts\":[";
    char number[64];
    for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
        const char *text = task_text(task, texts[index]);
        strcat(out, index ? "," : "");
        strcat(out, text ? "\"" : "null");
        strcat(out, text ? text : "");
        strcat(out, text ? "\"" : "");
    }
    strcat(out, "],\"numbers\":[");
    for (int which = TASKHOST_NUMBER_RETRIES; which <= TASKHOST_NUMBER_REDELIVERED; which++) {
        double value = task_number(task, which);
        if (which == TASKHOST_NUMBER_TIME_LEFT) {
            value = value > 0 && value <= 60 ? 60 : value > 60 ? 1e9 : -1;
        }
        snprintf(number, sizeof number, "%s%g", which > 1 ? "," : "", value);
        strcat(out, number);
    }
    strcat(out, "],\"headers\":");
    strcat(out, task_headers(task, NULL));
    strcat(out, ",\"body\":");
    strcat(out, task_body(task, NULL));
    strcat(out, "}");
    task_succeed_json(task, out);
}
TASK_HANDLER_DOC(describe, "path:[String: Int],width:Int=800->Report");

static void quiet(task_context *task) { (void)task; }
TASK_HANDLER(quiet);
static void chatty(task_context *task) {
    task_log(task, TASKHOST_WARNING, "one %d", 1);
    task_progress(task, 1, 2);
    task_state(task, "UPLOADING", "{\"part\": 3}");
    task_state(task, "BROKEN", "{");
    task_succeed_json(task, " [1, 2]\n");
    task_fail(task, "ValueError", "too late");
}
TASK_HANDLER(chatty);
static void retry(task_context *task, double countdown, const char *reason) { task_retry(task, countdown, reason); }
TASK_DEF_CTX(retry, void, (f64, countdown, -1), (str, reason, null));
static void send(task_context *task, const char *signature) {
    char first[TASKHOST_ID_SIZE], second[TASKHOST_ID_SIZE], ids[2 * TASKHOST_ID_SIZE + 8];
    if (!task_send(task, signature, first) || !task_add_to_chord(task, signature, second)) {
        task_succeed_json(task, "[null, null]");
        return;
    }
    snprintf(ids, sizeof ids, "[\"%s\",\"%s\"]", first, second);
    task_succeed_json(task, ids);
}
TASK_DEF_CTX(send, void, (json, signature));
static void replace(task_context *task, const char *signature) { task_replace(task, signature); }
TASK_DEF_CTX(replace, void, (json, signature));
static void retry_with(task_context *task, const char *args, const char *kwargs) {
    taskhost_retry_options again = TASKHOST_RETRY;
    again.countdown = 0.5;
    again.max_retries = 4;
    again.expires = 60;
    again.type = "KeyError";
    again.module = "builtins";
    again.arguments = "[\"k\"]";
    again.args = args;
    again.kwargs = kwargs;
    again.queue = "slow";
    again.priority = 7;
    task_retry_with(task, &again);
}
TASK_DEF_CTX(retry_with, void, (json, args), (json, kwargs));
static void properties(task_context *task) { task_succeed_json(task, task_properties(task, NULL)); }
TASK_DEF_CTX(properties, void);
static void retry_bound(task_context *task, int32_t bound) { taskhost_functions->retry(task, 2, bound, NULL); }
TASK_DEF_CTX(retry_bound, void, (i32, bound));
static void reject(task_context *task, const char *reason, bool requeue) { task_reject(task, reason, requeue); }
TASK_DEF_CTX(reject, void, (str, reason), (bool, requeue, false));
static void ignore(task_context *task) { task_ignore(task); }
TASK_DEF_CTX(ignore, void);
static void ignore_as(task_context *task) { taskhost_functions->ignore_as(task, "FAILURE", "{\"a\": 1}", 8); }
TASK_DEF_CTX(ignore_as, void);
static void fail_bytes(task_context *task) { task_fail(task, "KeyError", "no \xff utf-8 \"quoted\"\n"); }
TASK_HANDLER(fail_bytes);
static void fail_here(task_context *task) { task_fail(task, "ValueError", "no"); }
TASK_DEF_CTX(fail_here, void);
static void states(task_context *task) {
    const char *const names[] = {"SUCCESS", "FAILURE", "RETRY", "REVOKED", "SUCCESSFUL"};
    for (unsigned at = 0; at < sizeof names / sizeof names[0]; at++) {
        task_state(task, names[at], "{}");
    }
}
TASK_DEF_CTX(states, void);
static char *large(int64_t bytes) {
    char *text = malloc((size_t)bytes + 1);
    memset(text, 'x', (size_t)bytes);
    text[bytes] = '\0';
    return text;
}
TASK_DEF(large, str_owned, (i64, bytes));
static int32_t descriptors(void) { return getpid(); }
TASK_DEF(descriptors, i32);

TASK_OPTIONS(one, .name = "plain-name", .soft_limit = 1.5, .hard_limit = 3, .max_retries = TASKHOST_NEVER,
             .retry_delay = 2, .retry_backoff = 1, .retry_backoff_max = 60, .retry_jitter = TASKHOST_NO,
             .autoretry = TASKHOST_YES, .acks_late = TASKHOST_NO, .track_started = TASKHOST_YES,
             .ignore_result = TASKHOST_NO, .max_starts = 5, .keep = 7, .queue = "q", .rate_limit = "10/s",
             .store_errors_even_if_ignored = TASKHOST_YES, .acks_on_failure = TASKHOST_NO,
             .acks_on_timeout = TASKHOST_YES, .reject_on_worker_lost = TASKHOST_NO,
             .doc = "A \"doc\".", .memory_limit = 64, .max_concurrent = 3,
             .limit_scope = "global", .autoretry_for = "OSError, app.Busy", .dont_autoretry_for = "ValueError");
TASK_OPTIONS(three, .max_retries = TASKHOST_UNLIMITED, .limit_key = "z:domain");
TASKHOST_BUNDLE("types", "2.0");
