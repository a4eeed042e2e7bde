/* A unit test of a bundle, in C and C++: calls the task that it is given, by the name it is given. */
#include <taskhost.h>

static void twice(task_context *task) {
    const taskhost_slice *number = task_bind(task, NULL);
    if (number != NULL) {
        taskhost_functions->succeed(task, number->text, number->length);
    }
}
TASK_HANDLER_DOC(twice, "number:Int->Int");

static void apart(task_context *task) { task_succeed_json(task, "1"); }
TASK_HANDLER_DOC(apart, "->Int");
TASK_OPTIONS(apart, .name = "elsewhere");

static int64_t wc(int64_t words) { return words; }
TASK_DEF(wc, i64, (i64, words));

TASKHOST_BUNDLE("tested", "1.0.0");

#include <taskhost_testing.h>

int main(int count, char **words) {
    task_test test;
    task_test_begin(&test);
    if (count != 3 || !task_test_run(&test, words[1], words[2], "{}")) {
        return 1;
    }
    puts(test.result);
    task_test_end(&test);
    return 0;
}
