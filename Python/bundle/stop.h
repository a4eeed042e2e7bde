/* stop - the soft limit as a signal that Python handles: SIGUSR1, as in Celery's own children. */
#ifndef STOP_H
#define STOP_H
#include "python_api.h"

#include <taskhost.h>

/* While loading, by the thread that will run the tasks. */
void stop_prepare(void);
/* Around a task: what comes too late for one does not hit the next. */
void stop_begin(task_context *task);
void stop_end(void);
/* `_taskhost.deaf()`: the task's own code is over; its ending is not to be interrupted. */
PyObject *stop_deaf(PyObject *module, PyObject *const *arguments, ssize_t count);
#endif
