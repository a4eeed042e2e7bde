/* Ways for a task to leave processes behind. Each of them is called "sabotage" (comm), and writes its pid as a line to
 * the file it is given, so that a test can find out whether it is still there. */
#define _GNU_SOURCE
#include <taskhost.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void write_pid(const char *path) {
    char line[32];
    int length = snprintf(line, sizeof line, "%d\n", getpid());
    int fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    if (fd >= 0) {
        if (write(fd, line, (size_t)length) != length) {
            _exit(1);
        }
        close(fd);
    }
}

__attribute__((noreturn)) static void stay(const char *path) {
    prctl(PR_SET_NAME, "sabotage");
    write_pid(path);
    for (;;) {
        pause();
    }
}

static void ignore_signals(void) {
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
}

/* "plain", "setsid", "daemon" (double fork with setsid), "deaf" (ignores TERM, HUP and INT), "spin" */
static void leave(const char *style, const char *path) {
    if (fork() != 0) {
        return;
    }
    if (strcmp(style, "setsid") == 0) {
        setsid();
    } else if (strcmp(style, "daemon") == 0) {
        setsid();
        if (fork() != 0) {
            _exit(0);
        }
        setsid();
    } else if (strcmp(style, "deaf") == 0) {
        ignore_signals();
    } else if (strcmp(style, "spin") == 0) {
        ignore_signals();
        prctl(PR_SET_NAME, "sabotage");
        write_pid(path);
        for (;;) {
        }
    }
    stay(path);
}

static int32_t spawn(const char *style, int32_t count, const char *path, bool wait) {
    int32_t index;
    for (index = 0; index < count; index++) {
        leave(style, path);
    }
    while (wait) {
        pause();
    }
    return count;
}
TASK_DEF(spawn, i32, (str, style, "plain"), (i32, count, 1), (str, path, null), (bool, wait, false));
TASK_OPTIONS(spawn, .doc = "Leaves count processes behind (style plain, setsid, daemon, deaf or spin), then returns, "
                           "or waits for ever.");

/* Each process begets the next in a session of its own and dies: a moving target, at most `generations` long. */
static void chase(int32_t generations, const char *path) {
    if (fork() == 0) {
        prctl(PR_SET_NAME, "sabotage");
        while (generations-- > 0) {
            setsid();
            if (fork() != 0) {
                _exit(0);
            }
        }
        stay(path);
    }
    for (;;) {
        pause();
    }
}
TASK_DEF(chase, void, (i32, generations, 100000), (str, path, null));
TASK_OPTIONS(chase, .doc = "A process that keeps forking itself into new sessions, then waits for ever.");

/* Doubles itself `depth` times. */
static void bomb(int32_t depth) {
    prctl(PR_SET_NAME, "sabotage");
    while (depth-- > 0) {
        if (fork() < 0) {
            break;
        }
    }
    for (;;) {
        pause();
    }
}
TASK_DEF(bomb, void, (i32, depth, 6));
TASK_OPTIONS(bomb, .doc = "Doubles depth times (6: 64 processes), then all wait for ever.");

/* Everything design.md promises to end at once: deaf, spinning, with a daemon, for ever. */
static void worst(const char *path) {
    ignore_signals();
    leave("daemon", path);
    leave("spin", path);
    for (;;) {
    }
}
TASK_DEF(worst, void, (str, path, null));
TASK_OPTIONS(worst, .doc = "Ignores TERM, spins, forks and daemonises, for ever.");

/* The copy returns from the task as well. */
static int32_t two_returns(void) {
    return fork() < 0 ? -1 : 1;
}
TASK_DEF(two_returns, i32);
TASK_OPTIONS(two_returns, .doc = "Forks, and both processes return from the task.");
