/* soft_limit - the queued signal that asks one task, and no other, to stop. */
#ifndef RUNNER_SOFT_LIMIT_H
#define RUNNER_SOFT_LIMIT_H
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#define SOFT_LIMIT_SIGNAL (SIGRTMIN + 1)

/* In the zygote; children inherit the handler. */
void soft_limit_install(void);
/* In the zygote: what else is done when a task is to stop, in the signal's handler (taskhost.h, on_stop). */
void soft_limit_notify(void (*function)(void));
/* In the zygote: tells the child. */
void soft_limit_send(int pid, uint64_t sequence);

/* In the child, around each task. */
void soft_limit_begin(uint64_t sequence);
void soft_limit_end(void);
bool soft_limit_reached(void);
/* Readable from the soft limit on; -1 if no descriptor is left. */
int soft_limit_descriptor(void);
#endif
