/* fork - what os.fork() does around a fork, done around those of the zygote: locks are reinitialised, hooks of
 * os.register_at_fork run, once per child. */
#include "fork.h"

#include "python_api.h"

#include <pthread.h>

/* A child's own forks go through os.fork and the like, which do the same by themselves. */
static bool is_zygote;

static void before(void) {
    if (is_zygote) {
        py.PyOS_BeforeFork();
    }
}

static void after_in_zygote(void) {
    if (is_zygote) {
        py.PyOS_AfterFork_Parent();
    }
}

static void after_in_child(void) {
    if (is_zygote) {
        is_zygote = false;
        py.PyOS_AfterFork_Child();
    }
}

void fork_prepare(void) {
    is_zygote = pthread_atfork(before, after_in_zygote, after_in_child) == 0;
}
