/* fork - what CPython does around a fork, done around those of the zygote. */
#ifndef FORK_H
#define FORK_H
#include "python_api.h"

void fork_prepare(void);
/* `_taskhost.fork_beside()`, while loading: makes a process with all that is loaded by now, which is the host's child and
 * not the zygote's. There it returns the pid of a helper, which is over; the host has to reap both. Here: 0, or None when
 * there can be none. */
PyObject *fork_beside(PyObject *module, PyObject *const *arguments, ssize_t count);
#endif
