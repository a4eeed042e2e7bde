/* curious - a task that tries what it should not be able to do, and tells how it went: "ok", an errno's name, or what it
 * read. */
#define _GNU_SOURCE
#include <taskhost.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* What came of a signal to the zygote's parent, tried while the bundle was loaded. */
static int parent_error;
__attribute__((constructor)) static void loading(void) { parent_error = kill(getppid(), 0) == 0 ? 0 : errno; }

static const char *outcome(long result) { return result < 0 ? strerrorname_np(errno) : "ok"; }

static const char *read_file(const char *path) {
    static char text[8192];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    const char *error = outcome(length);
    if (file >= 0) close(file);
    if (length < 0) return error;
    for (ssize_t index = 0; index < length; index++) {
        if (text[index] == '\0') text[index] = ' ';
    }
    text[length] = '\0';
    return text;
}

static const char *fill(const char *path, size_t bytes) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return outcome(-1);
    char *zeros = calloc(1, bytes);
    for (size_t written = 0; written < bytes;) {
        ssize_t count = write(file, zeros, bytes - written);
        if (count < 0) break;
        written += (size_t)count;
    }
    close(file);
    free(zeros);
    return "ok";
}

static const char *number(long value) {
    static char text[32];
    snprintf(text, sizeof text, "%ld", value);
    return text;
}

static const char *kill_child(void) {
    pid_t child = fork();
    int status = 0;
    if (child == 0) {
        for (;;) pause();
    }
    if (kill(child, SIGKILL) != 0) return outcome(-1);
    waitpid(child, &status, 0);
    return number(WTERMSIG(status));
}

static const char *try_fork(void) {
    pid_t child = fork();
    if (child == 0) _exit(0);
    const char *told = outcome(child);
    if (child > 0) waitpid(child, NULL, 0);
    return told;
}

static const char *eat(size_t mebibytes) {
    for (size_t eaten = 0; eaten < mebibytes; eaten++) {
        char *block = malloc(1 << 20);
        memset(block, 1, 1 << 20);
    }
    pause();
    return "still here";
}

static const char *crash(void) {
    volatile int *nowhere = NULL;
    *nowhere = 1;
    return "survived";
}

static const char *attempt(const char *what, const char *first, const char *second) {
    struct rlimit limit;
    if (strcmp(what, "read") == 0) return read_file(first);
    if (strcmp(what, "open") == 0) return outcome(open(first, O_RDWR | O_CLOEXEC));
    if (strcmp(what, "write") == 0) return outcome(open(first, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    if (strcmp(what, "fill") == 0) return fill(first, strtoul(second, NULL, 10));
    if (strcmp(what, "kill") == 0) return outcome(kill(atoi(first), atoi(second)));
    if (strcmp(what, "kill_child") == 0) return kill_child();
    if (strcmp(what, "signal_while_loading") == 0) return parent_error == 0 ? "ok" : strerrorname_np(parent_error);
    if (strcmp(what, "fork") == 0) return try_fork();
    if (strcmp(what, "dumpable") == 0) return number(prctl(PR_GET_DUMPABLE));
    if (strcmp(what, "cpu") == 0) return getrlimit(RLIMIT_CPU, &limit) == 0 ? number((long)limit.rlim_max) : "?";
    if (strcmp(what, "eat") == 0) return eat(strtoul(first, NULL, 10));
    if (strcmp(what, "crash") == 0) return crash();
    if (strcmp(what, "ptrace") == 0) {
        long result = ptrace(PTRACE_ATTACH, atoi(first), 0, 0);
        const char *told = outcome(result);
        if (result == 0) {
            waitpid(atoi(first), NULL, __WALL);
            ptrace(PTRACE_DETACH, atoi(first), 0, 0);
        }
        return told;
    }
    return "unknown attempt";
}

static char *try_it(const char *what, const char *first, const char *second) {
    return strdup(attempt(what, first, second));
}
TASK_DEF(try_it, str_owned, (str, what), (str, first, ""), (str, second, ""));

TASKHOST_BUNDLE("curious", "1.0");
