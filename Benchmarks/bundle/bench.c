/* The benchmark's tasks, in kept children and in fresh ones. Built for each run with -DTALLY="file". */
#include <string.h>
#include <taskhost.h>

#include "tally.h"

static double add(double x, double y) {
    tally_done();
    return x + y;
}

static double add_fresh(double x, double y) { return add(x, y); }

static int64_t blob(const char *data) {
    tally_done();
    return (int64_t)strlen(data);
}

static int64_t stamp(int64_t number) {
    tally_stamp((uint64_t)number);
    tally_done();
    return number;
}

static void nap(double seconds) {
    tally_nap((uint64_t)(seconds * 1e9));
    tally_done();
}

/* Taken while the bundle is loaded, in the zygote: all its children share the counter. */
__attribute__((constructor)) static void take_counter(void) {
    if (!tally_take(TALLY)) tally_mine = NULL;
}

TASK_DEF(add, f64, (f64, x), (f64, y));
TASK_OPTIONS(add, .keep = 1000000);
TASK_DEF(add_fresh, f64, (f64, x), (f64, y));
TASK_DEF(blob, i64, (str, data));
TASK_OPTIONS(blob, .keep = 1000000);
TASK_DEF(stamp, i64, (i64, number));
TASK_OPTIONS(stamp, .keep = 1000000);
TASK_DEF(nap, void, (f64, seconds));
TASK_OPTIONS(nap, .keep = 1000000);
TASKHOST_BUNDLE("bench", "1.0.0");
