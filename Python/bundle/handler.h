/* handler - one task: into Python and back. */
#ifndef HANDLER_H
#define HANDLER_H
#include "python_api.h"

#include <taskhost.h>

/* While loading: what is called in each child before its first task. */
void handler_prepare(PyObject *born);
/* user: the Python function. */
void handler_run(task_context *task, void *user);
/* After the last task: calls a Python function (a PyObject) without arguments. */
void handler_leave(void *function);
#endif
