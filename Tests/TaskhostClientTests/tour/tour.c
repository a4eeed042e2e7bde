/* The tour's tasks for taskhost; tour.py has the same for Python's worker. */
#include <ctype.h>
#include <stdlib.h>
#include <taskhost.h>

static int64_t add(int64_t x, int64_t y) { return x + y; }
TASK_DEF(add, i64, (i64, x), (i64, y));

static int64_t multiply(int64_t x, int64_t y) { return x * y; }
TASK_DEF(multiply, i64, (i64, x), (i64, y));

/* Of a flat list of integers. */
static int64_t total(const char *numbers) {
    int64_t sum = 0;
    for (const char *at = numbers; *at != '\0';) {
        if (*at == '-' || isdigit((unsigned char)*at)) {
            char *end;
            sum += strtoll(at, &end, 10);
            at = end;
        } else {
            at++;
        }
    }
    return sum;
}
TASK_DEF(total, i64, (json, numbers));

static const char *echo(const char *value) { return value; }
TASK_DEF(echo, json, (json, value));

static int64_t fail(task_context *task, const char *text) {
    task_fail(task, "ValueError", text);
    return 0;
}
TASK_DEF_CTX(fail, i64, (str, text));

static int64_t steps(task_context *task, int64_t count) {
    for (int64_t step = 1; step <= count; step++) task_progress(task, (uint64_t)step, (uint64_t)count);
    return count;
}
TASK_DEF_CTX(steps, i64, (i64, count));

TASKHOST_BUNDLE("tour", "1.0.0");
