/* handler - one task: into Python and back. Between two tasks of a kept child other threads of Python may run. */
#include "handler.h"

#include "host_module.h"
#include "stop.h"

/* NULL before the first task: then this thread holds the GIL since the bundle was loaded. */
static PyThreadState *suspended;
static PyObject *on_birth;

void handler_prepare(PyObject *born) { on_birth = born; }

static PyObject *call(PyObject *function, const char *text, size_t length) {
    PyObject *body = py.PyUnicode_DecodeUTF8(text, (ssize_t)length, "surrogateescape");
    PyObject *done = body != NULL ? py.PyObject_CallFunctionObjArgs(function, body, NULL) : NULL;
    if (body != NULL) {
        py.Py_DecRef(body);
    }
    return done;
}

void handler_run(task_context *task, void *user) {
    size_t length = 0;
    const char *text = host->text(task, TASKHOST_TEXT_BODY, &length);
    PyObject *born = NULL;
    if (suspended != NULL) {
        py.PyEval_RestoreThread(suspended);
    }
    current_task = task;
    if (suspended == NULL) {
        born = py.PyObject_CallFunctionObjArgs(on_birth, NULL);
    }
    stop_begin(task);
    PyObject *done = suspended != NULL || born != NULL ? call(user, text, length) : NULL;
    stop_end();
    if (done == NULL) {
        /* taskhost_celery answers for every exception of a task; this one is its own. */
        py.PyErr_Print();
        host->fail(task, "SystemError", "builtins", "taskhost_celery failed: its traceback stands in the log", NULL,
                   NULL);
    } else {
        py.Py_DecRef(done);
    }
    if (born != NULL) {
        py.Py_DecRef(born);
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
