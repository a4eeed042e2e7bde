/* stop - the soft limit as a signal that Python handles. What waits in a system call ends with EINTR, and Python then
 * calls its handler, which raises. */
#define _GNU_SOURCE
#include "stop.h"

#include "arguments.h"
#include "host_module.h"

#include <pthread.h>
#include <signal.h>

static pthread_t runs_tasks;
static volatile sig_atomic_t listening;

/* In a signal handler, of any thread. */
static void on_stop(void) {
    if (listening) {
        pthread_kill(runs_tasks, SIGUSR1);
    }
}

void stop_prepare(void) {
    runs_tasks = pthread_self();
    host->on_stop(on_stop);
}

void stop_begin(task_context *task) {
    if (py.PyErr_CheckSignals() != 0) {
        py.PyErr_Clear(); /* meant for the task before */
    }
    listening = 1;
    if (host->should_stop(task)) { /* since before there was anybody to listen */
        on_stop();
    }
}

void stop_end(void) { listening = 0; }

PyObject *stop_deaf(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    (void)arguments;
    (void)count;
    listening = 0;
    return python_none();
}
