/* example - a bundle to start from: rename it, and see ../../README.md. */
#include <taskhost.h>

static double half(double x) { return x / 2; }
TASK_DEF(half, f64, (f64, x));
TASK_OPTIONS(half, .doc = "Half of x.");

TASKHOST_BUNDLE("example", "0.1.0");
