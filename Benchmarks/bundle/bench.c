/* The benchmark's tasks: the same addition in a kept and in a fresh child. Built for each run with -DTALLY="file". */
#include <string.h>
#include <taskhost.h>

#include "tally.h"

static double add(double x, double y) {
    tally_done();
    return x + y;
}

static int64_t blob(const char *data) {
    tally_done();
    return (int64_t)strlen(data);
}

static double add_fresh(double x, double y) { return add(x, y); }

/* Taken while the bundle is loaded, in the zygote: all its children share the counter. */
__attribute__((constructor)) static void take_counter(void) {
    if (!tally_take(TALLY)) tally_mine = NULL;
}

TASK_DEF(add, f64, (f64, x), (f64, y));
TASK_OPTIONS(add, .keep = 1000000);
TASK_DEF(blob, i64, (str, data));
TASK_OPTIONS(blob, .keep = 1000000);
TASK_DEF(add_fresh, f64, (f64, x), (f64, y));
TASKHOST_BUNDLE("bench", "1.0.0");
