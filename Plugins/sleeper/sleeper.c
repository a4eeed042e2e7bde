/* sleeper - tasks that take their time: how limits look from inside. */
#include <taskhost.h>

#include <errno.h>
#include <poll.h>
#include <time.h>

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* Sleeps until then, or until the task is asked to stop; true if it slept through. */
static bool sleep_until(task_context *task, double until) {
    struct pollfd stop = {.fd = task_stop_fd(task), .events = POLLIN};
    double left;
    while ((left = until - now()) > 0 && !task_should_stop(task)) {
        double slice = left < 3600 ? left : 3600; /* poll counts milliseconds in an int */
        if (poll(&stop, 1, (int)(slice * 1000) + 1) < 0 && errno != EINTR) {
            return false;
        }
    }
    return !task_should_stop(task);
}

/* Waits politely: reports progress, and on a soft limit cleans up and says so. */
static double sleep_politely(task_context *task, double seconds) {
    double begin = now();
    const int steps = 10;
    int step;
    for (step = 1; step <= steps; step++) {
        if (!sleep_until(task, begin + seconds * step / steps)) {
            task_log(task, TASKHOST_INFO, "asked to stop after %.3f s: cleaned up", now() - begin);
            task_fail_soft_limit(task);
            return 0;
        }
        if (seconds >= 1) {
            task_progress(task, step, steps);
        }
    }
    return now() - begin;
}
TASK_DEF_CTX(sleep_politely, f64, (f64, seconds, 1));
TASK_OPTIONS(sleep_politely, .name = "sleeper.sleep",
             .doc = "Sleeps with progress; stops early, and tidily, at its soft limit. Returns the seconds slept.");

/* The same with limits of its own. */
static double limited(task_context *task, double seconds) {
    return sleep_politely(task, seconds);
}
TASK_DEF_CTX(limited, f64, (f64, seconds, 60));
TASK_OPTIONS(limited, .soft_limit = 1, .hard_limit = 2, .doc = "As sleeper.sleep; soft limit 1 s, hard limit 2 s.");

/* One child serves many of these in turn. */
static double kept(task_context *task, double milliseconds) {
    sleep_until(task, now() + milliseconds / 1000);
    return milliseconds;
}
TASK_DEF_CTX(kept, f64, (f64, milliseconds, 0));
TASK_OPTIONS(kept, .keep = 1000, .doc = "Sleeps milliseconds in a child that serves up to 1000 tasks in turn.");

TASKHOST_BUNDLE("sleeper", "1.0.0");
