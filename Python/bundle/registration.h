/* registration - `_taskhost.add` and `.at_exit`: Python functions as tasks of this bundle, and as its last word. */
#ifndef REGISTRATION_H
#define REGISTRATION_H
#include "python_api.h"

PyObject *registration_add(PyObject *module, PyObject *const *arguments, ssize_t count);
PyObject *registration_at_exit(PyObject *module, PyObject *const *arguments, ssize_t count);
#endif
