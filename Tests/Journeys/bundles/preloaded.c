// A bundle that has much in memory before any task begins.
#include <stdlib.h>
#include <string.h>
#include <taskhost.h>
#include <time.h>

static char *table;
static const size_t size = 96u << 20;

__attribute__((constructor)) static void load(void) {
    table = malloc(size);
    memset(table, 1, size);
}

/* Long enough for its memory to be looked at several times. */
static int64_t use(void) {
    struct timespec pause = {0, 500000000};
    nanosleep(&pause, 0);
    return table[size - 1];
}
TASK_DEF(use, i64);
TASKHOST_BUNDLE("preloaded", "1.0.0");
