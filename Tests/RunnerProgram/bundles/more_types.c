/* A second file of the same bundle. */
#include <taskhost.h>
static double half(double x) { return x / 2; }
TASK_DEF(half, f64, (f64, x));
