/* endings - the functions of `_taskhost` that say how the task ends; the first one counts. */
#ifndef ENDINGS_H
#define ENDINGS_H
#include "python_api.h"

PyObject *ending_succeed(PyObject *module, PyObject *const *arguments, ssize_t count);
PyObject *ending_fail(PyObject *module, PyObject *const *arguments, ssize_t count);
PyObject *ending_retry(PyObject *module, PyObject *const *arguments, ssize_t count);
PyObject *ending_replace(PyObject *module, PyObject *const *arguments, ssize_t count);
PyObject *ending_reject(PyObject *module, PyObject *const *arguments, ssize_t count);
PyObject *ending_ignore(PyObject *module, PyObject *const *arguments, ssize_t count);
PyObject *ending_ignore_as(PyObject *module, PyObject *const *arguments, ssize_t count);
#endif
