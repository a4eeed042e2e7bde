/* arguments - reading what Python passes. Each sets an exception and says false when it cannot. */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H
#include "python_api.h"

/* False, with an exception, unless count is what was wanted. */
bool argument_count(ssize_t count, ssize_t wanted, const char *function);
/* UTF-8, valid as long as the object; None gives NULL where it may be left out. length may be NULL. */
bool argument_text(PyObject *object, const char **text, size_t *length);
bool argument_text_or_none(PyObject *object, const char **text);
bool argument_number(PyObject *object, double *number);
/* A new reference to None. */
PyObject *python_none(void);
#endif
