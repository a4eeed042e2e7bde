/* Ways for a task to die. */
#include <taskhost.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int64_t *volatile nowhere;

__attribute__((noinline)) static int64_t segv(void) {
    return *nowhere; /* address 0 */
}
TASK_DEF(segv, i64);
TASK_OPTIONS(segv, .doc = "Reads address 0.");

/* The number of the signal its child died of. */
static int32_t child_crashes(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        segv();
    }
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}
TASK_DEF(child_crashes, i32);
TASK_OPTIONS(child_crashes, .doc = "Forks a process that reads address 0, and waits for it.");

static void abort_task(void) {
    abort();
}
TASK_DEF(abort_task, void);
TASK_OPTIONS(abort_task, .name = "saboteur.abort", .doc = "Calls abort().");

static void exit_task(int32_t code) {
    exit(code);
}
TASK_DEF(exit_task, void, (i32, code, 3));
TASK_OPTIONS(exit_task, .name = "saboteur.exit", .doc = "Leaves the process by exit(code), without a result.");

static void die_by(int32_t number) {
    signal(number, SIG_DFL);
    raise(number);
}
TASK_DEF(die_by, void, (i32, number, 9));
TASK_OPTIONS(die_by, .name = "saboteur.signal", .doc = "Sends itself a signal with its default action restored.");

/* The volatile keeps the compiler from turning the recursion into a loop. */
__attribute__((noinline)) static int64_t deeper(volatile int64_t depth) {
    volatile char page[4096];
    page[depth % 4096] = (char)depth;
    return depth < INT64_MAX ? deeper(depth + 1) + page[0] : 0;
}

static int64_t overflow(void) {
    return deeper(1);
}
TASK_DEF(overflow, i64);
TASK_OPTIONS(overflow, .doc = "Overflows its stack.");

/* Bounded by a limit of its own, so that it harms nobody else; then malloc fails. */
static int64_t memory(task_context *task, int64_t mebibytes) {
    const size_t piece = 1 << 20;
    int64_t taken;
    const struct rlimit bound = {(rlim_t)1 << 30, (rlim_t)1 << 30};
    setrlimit(RLIMIT_AS, &bound);
    for (taken = 0; taken < mebibytes; taken++) {
        char *block = malloc(piece);
        if (!block) {
            task_fail(task, "MemoryError", "malloc failed");
            return taken;
        }
        memset(block, 1, piece);
    }
    return taken;
}
TASK_DEF_CTX(memory, i64, (i64, mebibytes, 4096));
TASK_OPTIONS(memory, .doc = "Takes and fills memory; beyond 1 GiB its own limit ends it with MemoryError.");

static void hang(void) {
    for (;;) {
        pause();
    }
}
TASK_DEF(hang, void);
TASK_OPTIONS(hang, .doc = "Waits for ever.");

static void stop_self(void) {
    raise(SIGSTOP);
}
TASK_DEF(stop_self, void);
TASK_OPTIONS(stop_self, .doc = "Stops its own process with SIGSTOP.");

TASKHOST_BUNDLE("saboteur", "1.0.0");
