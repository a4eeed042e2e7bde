/* handler - one task: into Python and back. Between two tasks of a kept child other threads of Python may run. */
#include "handler.h"

#include "host_module.h"

/* NULL before the first task: then this thread holds the GIL since the bundle was loaded. */
static PyThreadState *suspended;

void handler_run(task_context *task, void *user) {
    size_t length = 0;
    const char *text = host->text(task, TASKHOST_TEXT_BODY, &length);
    if (suspended != NULL) {
        py.PyEval_RestoreThread(suspended);
    }
    current_task = task;
    PyObject *body = py.PyUnicode_DecodeUTF8(text, (ssize_t)length, "surrogateescape");
    PyObject *done = body != NULL ? py.PyObject_CallFunctionObjArgs(user, body, NULL) : NULL;
    if (done == NULL) {
        /* taskhost_celery answers for every exception of a task; this one is its own. */
        py.PyErr_Print();
        host->fail(task, "SystemError", "builtins", "taskhost_celery failed: its traceback stands in the log", NULL,
                   NULL);
    }
    if (done != NULL) {
        py.Py_DecRef(done);
    }
    if (body != NULL) {
        py.Py_DecRef(body);
    }
    current_task = NULL;
    suspended = py.PyEval_SaveThread();
}

void handler_leave(void *function) {
    if (suspended == NULL) {
        return;
    }
    py.PyEval_RestoreThread(suspended);
    PyObject *done = py.PyObject_CallFunctionObjArgs(function, NULL);
    if (done == NULL) {
        py.PyErr_Print();
    } else {
        py.Py_DecRef(done);
    }
    suspended = py.PyEval_SaveThread();
}
