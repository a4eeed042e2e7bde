/* Tasks that turn against the zygote they were forked from. */
#define _GNU_SOURCE
#include <taskhost.h>

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A daemon whose parent is the zygote, since the child has given up being a reaper; its pid goes to the file. */
static int32_t leave_daemon(const char *path) {
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    pid_t middle = fork();
    if (middle == 0) {
        if (fork() == 0) {
            setsid();
            FILE *file = fopen(path, "a");
            fprintf(file, "%d\n", getpid());
            fclose(file);
            for (;;) {
                pause();
            }
        }
        _exit(0);
    }
    waitpid(middle, NULL, 0);
    return getpid();
}
TASK_DEF(leave_daemon, i32, (str, path));
TASK_OPTIONS(leave_daemon, .name = "against.leave_daemon", .keep = 100);

static int32_t answer(void) {
    return 42;
}
TASK_DEF(answer, i32);
TASK_OPTIONS(answer, .name = "against.answer", .keep = 100);

/* Waits a little, so that a sibling has begun, and signals its parent. */
static void signal_zygote(int32_t number, double wait) {
    usleep((useconds_t)(wait * 1e6));
    kill(getppid(), number);
    for (;;) {
        pause();
    }
}
TASK_DEF(signal_zygote, void, (i32, number, 9), (f64, wait, 0.2));
TASK_OPTIONS(signal_zygote, .name = "against.signal_zygote");

static void wait_for(double seconds) {
    usleep((useconds_t)(seconds * 1e6));
}
TASK_DEF(wait_for, void, (f64, seconds, 1));
TASK_OPTIONS(wait_for, .name = "against.wait_for");

TASKHOST_BUNDLE("against", "1");
