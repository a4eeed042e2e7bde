/* interpreter - starting CPython as the executable of a virtual environment would: its program name decides about
 * sys.prefix and sys.path. */
#define _GNU_SOURCE
#include "interpreter.h"

#include "arenas.h"
#include "python_api.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* As `python` itself decides (PEP 540): without a locale text is UTF-8. */
static bool wants_utf8(void) {
    const char *asked = getenv("PYTHONUTF8");
    if (asked != NULL && asked[0] != '\0') {
        return strcmp(asked, "1") == 0;
    }
    const char *before = setlocale(LC_CTYPE, "");
    return before == NULL || strcmp(before, "C") == 0 || strcmp(before, "POSIX") == 0;
}

/* Puts the folders of TASKHOST_PYTHON_PATH before all others, in their order. */
static bool prepend_path(void) {
    const char *folders = getenv("TASKHOST_PYTHON_PATH");
    PyObject *path = py.PySys_GetObject("path");
    if (path == NULL || folders == NULL) {
        return path != NULL;
    }
    ssize_t place = 0;
    for (const char *from = folders; *from != '\0';) {
        size_t length = strcspn(from, ":");
        char *one = strndup(from, length);
        PyObject *folder = one != NULL ? py.PyUnicode_DecodeFSDefault(one) : NULL;
        free(one);
        if (folder == NULL || py.PyList_Insert(path, place++, folder) != 0) {
            return false;
        }
        py.Py_DecRef(folder);
        from += length + (from[length] == ':');
    }
    return true;
}

const char *interpreter_start(void) {
    const char *library = getenv("TASKHOST_PYTHON_LIBRARY"), *executable = getenv("TASKHOST_PYTHON_EXECUTABLE");
    if (library == NULL || executable == NULL) {
        return "is for Python apps and was not told of one: start the worker with `taskhost -A APP worker`, or set "
               "TASKHOST_PYTHON_APP, TASKHOST_PYTHON_EXECUTABLE and TASKHOST_PYTHON_LIBRARY and name them in "
               "[worker] environment";
    }
    const char *fault = python_api_load(library);
    if (fault != NULL) {
        return fault;
    }
    if (py.utf8_mode != NULL) {
        *py.utf8_mode = wants_utf8();
    }
    arenas_prepare();
    wchar_t *name = py.Py_DecodeLocale(executable, NULL);
    if (name == NULL) {
        return "cannot read TASKHOST_PYTHON_EXECUTABLE: it is no text of this locale: set LANG=C.UTF-8";
    }
    py.Py_SetProgramName(name); /* keeps it */
    py.Py_InitializeEx(0);      /* ends the process with a message of its own when it cannot */
    return prepend_path() ? NULL : "cannot set Python's sys.path: see the log";
}
