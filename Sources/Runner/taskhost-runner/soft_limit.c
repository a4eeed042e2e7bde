/* soft_limit - flag and event descriptor.
 *
 * The signal carries the task's sequence number. One that comes late, for a task that is over, must not stop the next;
 * one that comes early, before the child has read the task's frame, must not be lost. */
#include "soft_limit.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Low 32 bits; 0: no task runs, or none was asked to stop. Sequences are never 0, but their low half may be; it is
 * then taken as 1's neighbour by setting the top bit (see `mark_of`). */
static volatile uint32_t running, asked;
static volatile sig_atomic_t reached;
static volatile int descriptor = -1;
static void (*notify)(void);

static uint32_t mark_of(uint64_t sequence) {
    uint32_t low = (uint32_t)sequence;
    return low != 0 ? low : 0x80000000u;
}

static void reach(void) {
    reached = 1;
    if (descriptor >= 0) {
        const uint64_t one = 1;
        ssize_t written = write(descriptor, &one, sizeof one);
        (void)written; /* full means readable already */
    }
    if (notify != NULL) {
        notify();
    }
}

static void on_signal(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    int saved = errno;
    uint32_t mark = (uint32_t)info->si_value.sival_int;
    asked = mark;
    if (mark == running && !reached) {
        reach();
    }
    errno = saved;
}

void soft_limit_install(void) {
    /* Who is told by a call wants system calls to end; native tasks look at flag or descriptor. */
    struct sigaction action = {.sa_flags = SA_SIGINFO | (notify == NULL ? SA_RESTART : 0)};
    action.sa_sigaction = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SOFT_LIMIT_SIGNAL, &action, NULL);
}

void soft_limit_notify(void (*function)(void)) {
    notify = function;
    soft_limit_install();
}

void soft_limit_send(int pid, uint64_t sequence) {
    union sigval value = {.sival_int = (int)mark_of(sequence)};
    sigqueue(pid, SOFT_LIMIT_SIGNAL, value);
}

void soft_limit_begin(uint64_t sequence) {
    running = mark_of(sequence);
    /* The signal may come between these two lines: then both notice, and reaching twice is reaching once. */
    if (asked == running && !reached) {
        reach();
    }
}

void soft_limit_end(void) {
    running = 0;
    if (reached) {
        reached = 0;
        uint64_t count;
        ssize_t got = descriptor >= 0 ? read(descriptor, &count, sizeof count) : 0;
        (void)got; /* empty is what we want */
    }
}

bool soft_limit_reached(void) {
    return reached;
}

int soft_limit_descriptor(void) {
    if (descriptor < 0) {
        descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        /* The limit may have been reached before the handler could see the descriptor. */
        if (descriptor >= 0 && reached) {
            reach();
        }
    }
    return descriptor;
}
