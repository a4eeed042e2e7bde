/* A task that only a kill can end before its time. */
#define _GNU_SOURCE
#include <taskhost.h>

#include <signal.h>
#include <time.h>

static double stubborn(double seconds) {
    struct timespec begin, now;
    double passed;
    sigset_t all;
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    sigfillset(&all); /* the soft limit's signal as well */
    sigprocmask(SIG_BLOCK, &all, NULL);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
        passed = (double)(now.tv_sec - begin.tv_sec) + (double)(now.tv_nsec - begin.tv_nsec) * 1e-9;
    } while (passed < seconds);
    return passed;
}
TASK_DEF(stubborn, f64, (f64, seconds, 60));
TASK_OPTIONS(stubborn, .doc = "Spins, deaf to TERM and to its soft limit: only the hard limit ends it early.");
