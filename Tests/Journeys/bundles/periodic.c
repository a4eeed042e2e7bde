/* Tasks that want to be sent by themselves. */
#include <taskhost.h>

#ifndef CRON
#define CRON "30 2 * * *"
#endif

static int64_t add(int64_t x, int64_t y) { return x + y; }
TASK_DEF(add, i64, (i64, x), (i64, y, 0));
TASK_OPTIONS(add, .name = NAME ".add");
TASK_SCHEDULE(add, often, .every = 1, .args = "[1, 2]", .queue = QUEUE);
TASK_SCHEDULE(add, unwanted, .every = 1, .queue = QUEUE);
TASK_SCHEDULE(add, nightly, .cron = CRON, .timezone = "Europe/Berlin", .kwargs = "{\"x\": 3}", .missed = "skip");

TASKHOST_BUNDLE(NAME, "1.0.0");
