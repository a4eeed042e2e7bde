/* bundle - python.so: a Celery app's tasks, run by the CPython that the worker was told of. */
#include "fork.h"
#include "handler.h"
#include "host_module.h"
#include "interpreter.h"
#include "stop.h"

/* What load.start() returns: None, or why not. */
static int start(PyObject *load) {
    PyObject *function = py.PyObject_GetAttrString(load, "start");
    PyObject *fault = function != NULL ? py.PyObject_CallFunctionObjArgs(function, NULL) : NULL;
    if (fault == NULL) {
        py.PyErr_Print();
        return host->refuse("cannot import the app: see the traceback in the log");
    }
    ssize_t length;
    return fault == py.none ? 0 : host->refuse(py.PyUnicode_AsUTF8AndSize(fault, &length));
}

TASKHOST_EXPORT int taskhost_bundle_v1(const taskhost_host *given) {
    static const taskhost_bundle_info info = {
        sizeof info, TASKHOST_ABI_MAJOR, TASKHOST_ABI_MINOR, "python", "1.0.0", TASKHOST_SDK_VERSION " python"};
    host = given;
    int refusal = host->describe(&info);
    if (refusal != 0) {
        return refusal;
    }
    const char *fault = interpreter_start();
    if (fault != NULL) {
        return host->refuse(fault);
    }
    PyObject *load = host_module_make() ? py.PyImport_ImportModule("taskhost_celery.load") : NULL;
    if (load == NULL) {
        py.PyErr_Print();
        return host->refuse("cannot import taskhost_celery: TASKHOST_PYTHON_PATH must have share/taskhost/python of this "
                            "installation; the traceback is in the log");
    }
    stop_prepare();
    refusal = start(load);
    PyObject *born = refusal == 0 ? py.PyObject_GetAttrString(load, "born") : NULL;
    if (born != NULL) {
        handler_prepare(born);
        fork_prepare();
    }
    return refusal;
}
