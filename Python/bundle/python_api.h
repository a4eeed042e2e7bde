/* python_api - the functions of CPython that the bundle calls, found in a libpython that is loaded at run time.
 *
 * Stable ABI only, and no header of Python's: one build serves CPython 3.9 to 3.14. */
#ifndef PYTHON_API_H
#define PYTHON_API_H
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <wchar.h>

typedef struct _object PyObject;
typedef struct _ts PyThreadState;
/* What METH_FASTCALL calls. */
typedef PyObject *(*python_function)(PyObject *module, PyObject *const *arguments, ssize_t count);
/* PyMethodDef, whose layout is part of the stable ABI. */
struct python_method {
    const char *name;
    python_function function;
    int flags;
    const char *doc;
};
enum { METHOD_FASTCALL = 0x80 };

#define PYTHON_FUNCTIONS(X)                                                                                            \
    X(wchar_t *, Py_DecodeLocale, (const char *, size_t *))                                                            \
    X(void, Py_SetProgramName, (const wchar_t *))                                                                      \
    X(void, Py_InitializeEx, (int))                                                                                    \
    X(const char *, Py_GetVersion, (void))                                                                             \
    X(void, Py_IncRef, (PyObject *))                                                                                   \
    X(void, Py_DecRef, (PyObject *))                                                                                   \
    X(PyObject *, PyErr_Occurred, (void))                                                                              \
    X(void, PyErr_Clear, (void))                                                                                       \
    X(void, PyErr_Print, (void))                                                                                       \
    X(void, PyErr_SetString, (PyObject *, const char *))                                                               \
    X(int, PyErr_CheckSignals, (void))                                                                                 \
    X(PyThreadState *, PyEval_SaveThread, (void))                                                                      \
    X(void, PyEval_RestoreThread, (PyThreadState *))                                                                   \
    X(void, PyOS_BeforeFork, (void))                                                                                   \
    X(void, PyOS_AfterFork_Child, (void))                                                                              \
    X(void, PyOS_AfterFork_Parent, (void))                                                                             \
    X(PyObject *, PySys_GetObject, (const char *))                                                                     \
    X(PyObject *, PyImport_AddModule, (const char *))                                                                  \
    X(PyObject *, PyImport_ImportModule, (const char *))                                                               \
    X(PyObject *, PyCFunction_NewEx, (struct python_method *, PyObject *, PyObject *))                                 \
    X(PyObject *, PyObject_GetAttrString, (PyObject *, const char *))                                                  \
    X(int, PyObject_SetAttrString, (PyObject *, const char *, PyObject *))                                             \
    X(PyObject *, PyObject_CallFunctionObjArgs, (PyObject *, ...))                                                     \
    X(int, PyObject_IsTrue, (PyObject *))                                                                              \
    X(int, PyList_Insert, (PyObject *, ssize_t, PyObject *))                                                           \
    X(PyObject *, PyDict_GetItemString, (PyObject *, const char *))                                                    \
    X(PyObject *, PyUnicode_DecodeUTF8, (const char *, ssize_t, const char *))                                         \
    X(PyObject *, PyUnicode_DecodeFSDefault, (const char *))                                                           \
    X(const char *, PyUnicode_AsUTF8AndSize, (PyObject *, ssize_t *))                                                  \
    X(PyObject *, PyLong_FromLong, (long))                                                                             \
    X(double, PyFloat_AsDouble, (PyObject *))                                                                          \
    X(PyObject *, PyFloat_FromDouble, (double))                                                                        \
    X(PyObject *, PyBool_FromLong, (long))

struct python_api {
#define MEMBER(result, name, arguments) result(*name) arguments;
    PYTHON_FUNCTIONS(MEMBER)
#undef MEMBER
    PyObject *none;               /* &_Py_NoneStruct */
    PyObject **value_error;       /* &PyExc_ValueError */
    int *utf8_mode;               /* &Py_UTF8Mode; NULL: no longer there */
    /* PyObject_SetArenaAllocator, which is public but not in the stable ABI; NULL: no longer there */
    void (*set_arena_allocator)(void *allocator);
};

extern struct python_api py;

/* Loads the library for everybody: extension modules look for its symbols in the process. NULL, or why not: a sentence
 * in static memory. */
const char *python_api_load(const char *library);
#endif
