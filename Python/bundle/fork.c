/* fork - what os.fork() does around a fork, done around those of the zygote: locks are reinitialised, hooks of
 * os.register_at_fork run, once per child.
 *
 * What comes before a fork is done once: from then on nothing of Python runs in the zygote, so that it stays as it is
 * before a fork. Each call there would write to pages that it shares with its children, and copy them for each. */
#define _GNU_SOURCE
#include "fork.h"

#include "arenas.h"
#include "arguments.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A child's own forks go through os.fork and the like, which do the same by themselves. */
static bool is_zygote;

static void after_in_child(void) {
    if (is_zygote) {
        is_zygote = false;
        py.PyOS_AfterFork_Child();
    }
}

void fork_prepare(void) {
    arenas_are_made();
    if (pthread_atfork(NULL, NULL, after_in_child) == 0) {
        py.PyOS_BeforeFork();
        is_zygote = true;
    }
}

/* In a process that libc has not made, and whose only work is to make one: that one is our parent's child when we end. */
static pid_t become_child_of_host(void) {
    pid_t helper = getpid();
    if (fork() != 0) {
        _exit(0);
    }
    while (getppid() == helper) {
        sched_yield();
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return helper;
}

PyObject *fork_beside(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    (void)arguments;
    if (!argument_count(count, 0, "fork_beside")) {
        return NULL;
    }
    py.PyOS_BeforeFork();
    long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (pid != 0) {
        py.PyOS_AfterFork_Parent();
        return pid < 0 ? python_none() : py.PyLong_FromLong(0);
    }
    pid_t helper = become_child_of_host();
    py.PyOS_AfterFork_Child();
    return py.PyLong_FromLong(helper);
}
