/* tree - every child is a subreaper, so a lane's processes stay below it while it lives; when it dies they come to the
 * zygote, a subreaper as well, and nothing else ever does. */
#define _GNU_SOURCE
#include "tree.h"

#include "context.h"
#include "lanes.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "private_fd.h"

static int children_list = -1;

bool tree_prepare(void) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    children_list = private_fd(open(path, O_RDONLY | O_CLOEXEC));
    return children_list >= 0;
}

/* The lane whose session the dead stray belonged to, else any that is being swept. */
static struct lane *lane_of_stray(int pid) {
    struct lane *any = NULL;
    pid_t session = getsid(pid);
    for (size_t index = 0; index < lane_count; index++) {
        if (lanes[index].state == LANE_ENDED) {
            any = &lanes[index];
            if (any->pid == session) {
                return any;
            }
        }
    }
    return any;
}

static void reap_one(int pid) {
    struct lane *lane = lane_of_child(pid);
    struct lane *swept_for = NULL;
    if (lane != NULL) {
        kill(-pid, SIGKILL); /* not reaped yet: the pid cannot have been reused */
    } else {
        swept_for = lane_of_stray(pid);
    }
    int status;
    struct rusage usage;
    if (wait4(pid, &status, __WALL, &usage) != pid) {
        return;
    }
    if (lane != NULL) {
        lane_ended(lane, status, &usage);
    } else if (swept_for != NULL && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        swept_for->swept++;
    }
}

void tree_reap(void) {
    for (;;) {
        siginfo_t info = {0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 || info.si_pid == 0) {
            return;
        }
        reap_one(info.si_pid);
    }
}

static void kill_stray(pid_t pid, pid_t own_group) {
    pid_t group = getpgid(pid);
    if (group > 1 && group != own_group && lane_of_child(group) == NULL) {
        kill(-group, SIGKILL); /* all at once: a process that only forks cannot outrun this */
    }
    kill(pid, SIGKILL);
}

unsigned tree_kill_strays(void) {
    char block[4096 + 1];
    size_t kept = 0;
    unsigned strays = 0;
    const pid_t own_group = getpgrp();
    if (children_list < 0 || lseek(children_list, 0, SEEK_SET) < 0) {
        return 0;
    }
    for (;;) {
        ssize_t count = read(children_list, block + kept, sizeof block - 1 - kept);
        if (count <= 0) {
            return strays;
        }
        block[kept + (size_t)count] = '\0';
        /* Each number is followed by a blank; one that is cut off waits for the next block. */
        char *at = block, *blank;
        while ((blank = strchr(at, ' ')) != NULL) {
            pid_t pid = (pid_t)strtol(at, NULL, 10);
            if (pid > 0 && lane_of_child(pid) == NULL) {
                strays++;
                kill_stray(pid, own_group);
            }
            at = blank + 1;
        }
        kept = strlen(at);
        memmove(block, at, kept);
    }
}

void tree_kill_everything(double seconds) {
    double until = monotonic_seconds() + seconds;
    for (size_t index = 0; index < lane_count; index++) {
        lane_kill(&lanes[index]);
    }
    do {
        tree_reap();
        if (tree_kill_strays() == 0 && !lanes_any(LANE_SERVING)) {
            return;
        }
        poll(NULL, 0, 1); /* the dying need the processor; their deaths are noticed by the next round */
    } while (monotonic_seconds() < until);
}
