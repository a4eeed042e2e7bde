/* fork - what os.fork() does around a fork, done around those of the zygote: locks are reinitialised, hooks of
 * os.register_at_fork run, once per child.
 *
 * What comes before a fork is done once: from then on nothing of Python runs in the zygote, so that it stays as it is
 * before a fork. Each call there would write to pages that it shares with its children, and copy them for each. */
#include "fork.h"

#include "arenas.h"
#include "python_api.h"

#include <pthread.h>

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
