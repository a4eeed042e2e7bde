/* arguments - reading what Python passes. */
#include "arguments.h"

#include <stdio.h>

bool argument_count(ssize_t count, ssize_t wanted, const char *function) {
    if (count != wanted) {
        char text[120];
        snprintf(text, sizeof text, "_taskhost.%s takes %zd arguments, not %zd", function, wanted, count);
        py.PyErr_SetString(*py.value_error, text);
    }
    return count == wanted;
}

bool argument_text(PyObject *object, const char **text, size_t *length) {
    ssize_t size = 0;
    *text = py.PyUnicode_AsUTF8AndSize(object, &size);
    if (length != NULL) {
        *length = (size_t)size;
    }
    return *text != NULL;
}

bool argument_text_or_none(PyObject *object, const char **text) {
    *text = NULL;
    return object == py.none || argument_text(object, text, NULL);
}

bool argument_number(PyObject *object, double *number) {
    *number = py.PyFloat_AsDouble(object);
    return *number != -1 || py.PyErr_Occurred() == NULL;
}

PyObject *python_none(void) {
    py.Py_IncRef(py.none);
    return py.none;
}
