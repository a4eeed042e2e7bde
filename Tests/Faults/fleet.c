/* The tasks of the mixed fleet, in C: the same as those of fleet_app.py. Each takes a moment, so that kills hit it. */
#include <stdio.h>
#include <stdlib.h>
#include <taskhost.h>
#include <time.h>

static void pause_for(int64_t milliseconds) {
    struct timespec left = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0) continue;
}

static int64_t add(int64_t x, int64_t y, int64_t milliseconds) {
    pause_for(milliseconds);
    return x + y;
}

/* The sum of a JSON array of whole numbers. */
static void total(task_context *task, const char *numbers) {
    int64_t sum = 0;
    const char *at = numbers;
    while (*at != '\0') {
        char *end;
        long long number = strtoll(at, &end, 10);
        if (end != at) sum += number;
        at = end != at ? end : at + 1;
    }
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)sum);
    task_succeed_json(task, text);
}

static void identity(task_context *task, const char *value) { task_succeed_json(task, value); }

TASK_DEF(add, i64, (i64, x), (i64, y), (i64, milliseconds, 0));
TASK_DEF_CTX(total, void, (json, numbers));
TASK_DEF_CTX(identity, void, (json, value));
/* Kills are the test's doing, not the task's: it must not be taken for poison. */
TASK_OPTIONS(add, .max_starts = 1000);
TASK_OPTIONS(total, .max_starts = 1000);
TASK_OPTIONS(identity, .max_starts = 1000);
TASKHOST_BUNDLE("fleet", "1.0.0");
