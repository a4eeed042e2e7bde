/* A library that is opened at its first use: linked, it and what it brings would cost every process time and memory,
 * though most never use it. */
#ifndef TASKHOST_CLIBRARY_LIBRARY_H
#define TASKHOST_CLIBRARY_LIBRARY_H

#include <stddef.h>

/* A function that is looked for, and the pointer to functions that is set to it. */
struct library_function {
    const char *name;
    void *pointer;
};

/* 0: each of `count` functions is found. -1: why not is in `reason`, and none of them may be called. */
int library_open(const char *file, const struct library_function *functions, size_t count, char *reason, size_t size);

#endif
