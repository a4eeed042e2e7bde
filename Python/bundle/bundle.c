/* bundle - python.so: a Celery app's tasks, run by the CPython that the worker was told of. */
#include "fork.h"
#include "host_module.h"
#include "interpreter.h"

#include <stdio.h>

/* The host notes a sentence of its own; this one stands in the log before it. */
static int refuse(const char *reason) {
    fprintf(stderr, "python.so %s\n", reason);
    return 1;
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
        return refuse(fault);
    }
    PyObject *module = host_module_make() ? py.PyImport_ImportModule("taskhost_celery.load") : NULL;
    PyObject *load = module != NULL ? py.PyObject_GetAttrString(module, "load") : NULL;
    PyObject *loaded = load != NULL ? py.PyObject_CallFunctionObjArgs(load, NULL) : NULL;
    if (loaded == NULL) {
        py.PyErr_Print();
        return refuse("cannot import the app: see the traceback above");
    }
    fork_prepare();
    return 0;
}
