/* arena - memory that lives as long as one task: converted arguments, decoded strings. */
#ifndef RUNNER_ARENA_H
#define RUNNER_ARENA_H
#include <stddef.h>

/* Aligned for anything. Out of memory ends the process. */
void *arena_take(size_t size);
/* A terminated copy. */
char *arena_copy(const char *bytes, size_t length);
/* Everything taken is gone. */
void arena_reset(void);
#endif
