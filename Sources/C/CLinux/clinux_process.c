/* Starting, watching and reaping processes. */
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_GIVEN = 8, MAX_CPU_SETS = 16 };

int clinux_pidfd_open(pid_t pid) {
    long descriptor = syscall(SYS_pidfd_open, pid, 0);
    return descriptor < 0 ? -errno : (int)descriptor;
}

int clinux_pidfd_send_signal(int pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

int clinux_set_subreaper(bool on) { return prctl(PR_SET_CHILD_SUBREAPER, on ? 1 : 0, 0, 0, 0) < 0 ? -errno : 0; }

int clinux_affinity_count(void) {
    /* The kernel refuses a mask that is shorter than its own. */
    cpu_set_t sets[MAX_CPU_SETS];
    if (sched_getaffinity(0, sizeof sets, sets) < 0)
        return -errno;
    return CPU_COUNT_S(sizeof sets, sets);
}

int clinux_set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) < 0 ? -errno : 0; }

int clinux_set_dumpable(bool on) { return prctl(PR_SET_DUMPABLE, on ? 1 : 0, 0, 0, 0) < 0 ? -errno : 0; }

int clinux_landlock_version(void) {
    enum { CREATE_RULESET = 444, ASK_VERSION = 1 }; /* the same on all machines; older headers know them not */
    long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
    return version > 0 ? (int)version : 0;
}

int clinux_close_range(unsigned first, unsigned last) { return close_range(first, last, 0) < 0 ? -errno : 0; }

int64_t clinux_raise_descriptor_limit(uint64_t wanted) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
    }
    return limit.rlim_cur > INT64_MAX ? INT64_MAX : (int64_t)limit.rlim_cur;
}

bool clinux_wait_exited(int status) { return WIFEXITED(status); }
int clinux_wait_exit_status(int status) { return WEXITSTATUS(status); }
bool clinux_wait_signaled(int status) { return WIFSIGNALED(status); }
int clinux_wait_signal(int status) { return WTERMSIG(status); }
bool clinux_wait_dumped_core(int status) { return WIFSIGNALED(status) && WCOREDUMP(status); }

pid_t clinux_reap(pid_t pid, int *status) {
    pid_t reaped;
    do reaped = waitpid(pid, status, WNOHANG);
    while (reaped < 0 && errno == EINTR);
    return reaped < 0 ? -errno : reaped;
}

/* All that can be prepared is; so the only calls between fork and exec are posix_spawn's own. */
static int prepare_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failure = posix_spawnattr_setsigmask(attributes, &none);
    if (!failure) failure = posix_spawnattr_setsigdefault(attributes, &all);
    if (!failure)
        failure = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
    return failure;
}

pid_t clinux_spawn(const char *path, char *const argv[], char *const envp[], const int *descriptors, int count) {
    if (count < 0 || count > MAX_GIVEN) return -EINVAL;
    int moved[MAX_GIVEN], made = 0, failure = 0;
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    failure = posix_spawn_file_actions_init(&actions);
    if (failure) return -failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure) {
        posix_spawn_file_actions_destroy(&actions);
        return -failure;
    }
    /* First out of the way of the numbers they shall get, so that no dup2 overwrites a later source. */
    for (; made < count && !failure; made++) {
        moved[made] = fcntl(descriptors[made], F_DUPFD_CLOEXEC, MAX_GIVEN);
        if (moved[made] < 0) {
            failure = errno;
            break;
        }
        failure = posix_spawn_file_actions_adddup2(&actions, moved[made], made);
    }
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(&actions, count);
    if (!failure) failure = prepare_attributes(&attributes);
    if (!failure) failure = posix_spawn(&pid, path, &actions, &attributes, argv, envp);

    while (made > 0) close(moved[--made]);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return failure ? -failure : pid;
}
