/* The macros in every dialect they promise to work in. */
#include <taskhost.h>
#ifdef WRONG
static float scale(double x, double by) { return (float)(x * by); }
#else
static double scale(double x, double by) { return x * by; }
#endif
TASK_DEF(scale, f64, (f64, x), (f64, by, 2));
TASK_OPTIONS(scale, .soft_limit = 1, .doc = "a doc");
static bool negate(task_context *task, bool x) {
    task_progress(task, 1, 1);
    return !x;
}
TASK_DEF_CTX(negate, bool, (bool, x, true));
TASK_SCHEDULE(negate, nightly, .cron = "30 2 * * *", .args = "[false]", .priority = 3);
TASK_SCHEDULE(negate, often, .every = 0.5);
TASK_OPTIONS(negate, .name = "named");
static void handle(task_context *task) { task_succeed_json(task, "1"); }
TASK_HANDLER(handle);
TASKHOST_BUNDLE("m", "1");
