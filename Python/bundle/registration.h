/* registration - `_taskhost.add`: a Python function as a task of this bundle. */
#ifndef REGISTRATION_H
#define REGISTRATION_H
#include "python_api.h"

PyObject *registration_add(PyObject *module, PyObject *const *arguments, ssize_t count);
#endif
