/* arithmetic - the smallest useful bundle: plain C functions as tasks. */
#include <taskhost.h>

#include <ctype.h>
#include <stdlib.h>

static double add(double x, double y) {
    return x + y;
}
TASK_DEF(add, f64, (f64, x), (f64, y));
TASK_OPTIONS(add, .name = "tasks.add", .doc = "The sum of two numbers.");

static double mul(double x, double y) {
    return x * y;
}
TASK_DEF(mul, f64, (f64, x), (f64, y));
TASK_OPTIONS(mul, .name = "tasks.mul", .doc = "The product of two numbers.");

static const char *skip_blanks(const char *at) {
    while (isspace((unsigned char)*at)) {
        at++;
    }
    return at;
}

/* The list arrives as JSON text, already checked to be well formed. */
static double sum(task_context *task, const char *numbers) {
    const char *at = skip_blanks(numbers);
    double total = 0;
    if (*at != '[') {
        task_fail(task, "TypeError", "numbers must be a list");
        return 0;
    }
    for (at = skip_blanks(at + 1); *at != ']'; at = skip_blanks(*at == ',' ? at + 1 : at)) {
        char *end;
        total += strtod(at, &end);
        if (end == at) {
            task_fail(task, "TypeError", "numbers must be a list of numbers");
            return 0;
        }
        at = skip_blanks(end);
    }
    return total;
}
TASK_DEF_CTX(sum, f64, (json, numbers));
TASK_OPTIONS(sum, .name = "tasks.sum", .doc = "The sum of a list of numbers.");

static void fail(task_context *task, const char *message) {
    task_fail(task, "ValueError", message);
}
TASK_DEF_CTX(fail, void, (str, message, "this task always fails"));
TASK_OPTIONS(fail, .name = "tasks.fail", .doc = "Fails with ValueError(message): to see what a failure looks like.");

TASKHOST_BUNDLE("arithmetic", "1.0.0");
