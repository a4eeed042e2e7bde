/* Runs the tasks in this process, with a host that only remembers: `make test`. */
#include "tasks.c"

#include <assert.h>
#include <stdlib.h>
#include <taskhost_testing.h>

int main(void) {
    task_test test;
    task_context *task = task_test_begin(&test);

    assert(add(4, 6) == 10);

    char *list = count(task, 3);
    assert(strcmp(list, "[1,2,3]") == 0);
    assert(test.states == 3 && strstr(test.meta, "\"done\":3"));
    free(list);

    /* Its soft limit has come, on a clock of the test's own. */
    task_test_limits(&test, 5, 10);
    task_test_advance(&test, 6);
    list = count(task, 3);
    assert(strcmp(list, "[]") == 0);
    free(list);

    task_test_end(&test);
    puts("all tests passed");
    return 0;
}
