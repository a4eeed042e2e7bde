/* example - tasks to start from. `taskhost dev` builds and serves them; what a task may ask and say stands at the end of
 * taskhost_macros.h in the SDK. */
#include <taskhost.h>
#include <taskhost_json.h>

static int64_t add(int64_t x, int64_t y) { return x + y; }
TASK_DEF(add, i64, (i64, x), (i64, y));
TASK_OPTIONS(add, .name = "tasks.add", .doc = "The sum of two whole numbers.");

/* json_owned: made with malloc, freed by the host. */
static char *count(task_context *task, int64_t to) {
    task_json list = TASK_JSON;
    task_json_array(&list);
    for (int64_t number = 1; number <= to && !task_should_stop(task); number++) {
        task_json_int(&list, number);
        task_progress(task, number, to);
    }
    task_json_end(&list);
    return task_json_take(&list);
}
TASK_DEF_CTX(count, json_owned, (i64, to, 3));
TASK_OPTIONS(count, .name = "tasks.count", .soft_limit = 5, .hard_limit = 10, .doc = "Counts, and shows how far it is.");

TASKHOST_BUNDLE("example", "0.1.0");
