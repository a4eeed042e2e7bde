/* host_module - `_taskhost`: what a task asks and says while it runs, and how it ends. Called with the GIL held. */
#include "host_module.h"

#include "arguments.h"
#include "endings.h"
#include "fork.h"
#include "registration.h"
#include "stop.h"

const taskhost_host *host;
task_context *current_task;

/* text(which) -> str | None: one of enum taskhost_text. */
static PyObject *text(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    double which;
    if (!argument_count(count, 1, "text") || !argument_number(arguments[0], &which)) {
        return NULL;
    }
    size_t length = 0;
    const char *found = current_task != NULL ? host->text(current_task, (int)which, &length) : NULL;
    return found != NULL ? py.PyUnicode_DecodeUTF8(found, (ssize_t)length, "surrogateescape") : python_none();
}

/* number(which) -> float: one of enum taskhost_number. */
static PyObject *number(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    double which;
    if (!argument_count(count, 1, "number") || !argument_number(arguments[0], &which)) {
        return NULL;
    }
    return py.PyFloat_FromDouble(current_task != NULL ? host->number(current_task, (int)which) : 0);
}

static PyObject *should_stop(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    (void)arguments;
    (void)count;
    return py.PyBool_FromLong(current_task != NULL && host->should_stop(current_task));
}

/* state(state, meta): meta is JSON. */
static PyObject *state(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    const char *name, *meta;
    size_t length;
    if (!argument_count(count, 2, "state") || !argument_text(arguments[0], &name, NULL) ||
        !argument_text(arguments[1], &meta, &length)) {
        return NULL;
    }
    if (current_task != NULL) {
        host->update_state(current_task, name, meta, length);
    }
    return python_none();
}

/* log(level, text): 0 debug, 1 info, 2 warning, 3 error. */
static PyObject *log_line(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    double level;
    const char *line;
    size_t length;
    if (!argument_count(count, 2, "log") || !argument_number(arguments[0], &level) ||
        !argument_text(arguments[1], &line, &length)) {
        return NULL;
    }
    if (current_task != NULL) {
        host->log(current_task, (int)level, line, length);
    }
    return py.PyBool_FromLong(current_task != NULL);
}

static PyObject *new_id(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    (void)arguments;
    (void)count;
    char id[TASKHOST_ID_SIZE];
    host->new_id(id);
    return py.PyUnicode_DecodeUTF8(id, TASKHOST_ID_SIZE - 1, "strict");
}

static PyObject *submit(PyObject *const *arguments, ssize_t count, const char *function,
                        bool (*send)(task_context *, const char *, size_t)) {
    const char *json;
    size_t length;
    if (!argument_count(count, 1, function) || !argument_text(arguments[0], &json, &length)) {
        return NULL;
    }
    return py.PyBool_FromLong(current_task != NULL && send(current_task, json, length));
}

/* publish(message) -> bool: JSON, as taskhost_host.publish takes it. */
static PyObject *publish(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    return submit(arguments, count, "publish", host->publish);
}

/* add_children(tuples) -> bool: JSON. */
static PyObject *add_children(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    return submit(arguments, count, "add_children", host->add_children);
}

static PyObject *crash_fd(PyObject *module, PyObject *const *arguments, ssize_t count) {
    (void)module;
    (void)arguments;
    (void)count;
    return py.PyLong_FromLong(host->crash_fd());
}

static struct python_method methods[] = {
    {"text", text, METHOD_FASTCALL, "text(which) -> str | None"},
    {"number", number, METHOD_FASTCALL, "number(which) -> float"},
    {"should_stop", should_stop, METHOD_FASTCALL, "should_stop() -> bool"},
    {"state", state, METHOD_FASTCALL, "state(name, meta as JSON)"},
    {"log", log_line, METHOD_FASTCALL, "log(level, text) -> bool"},
    {"new_id", new_id, METHOD_FASTCALL, "new_id() -> str"},
    {"publish", publish, METHOD_FASTCALL, "publish(message as JSON) -> bool"},
    {"add_children", add_children, METHOD_FASTCALL, "add_children(result tuples as JSON) -> bool"},
    {"succeed", ending_succeed, METHOD_FASTCALL, "succeed(result as JSON)"},
    {"fail", ending_fail, METHOD_FASTCALL, "fail(type, module, message, arguments as JSON | None, traceback | None)"},
    {"retry", ending_retry, METHOD_FASTCALL, "retry(options: dict)"},
    {"replace", ending_replace, METHOD_FASTCALL, "replace(signature as JSON)"},
    {"reject", ending_reject, METHOD_FASTCALL, "reject(reason, requeue)"},
    {"ignore", ending_ignore, METHOD_FASTCALL, "ignore()"},
    {"ignore_as", ending_ignore_as, METHOD_FASTCALL, "ignore_as(state, meta as JSON)"},
    {"deaf", stop_deaf, METHOD_FASTCALL, "deaf(): from now on the soft limit does not interrupt"},
    {"crash_fd", crash_fd, METHOD_FASTCALL, "crash_fd() -> int, while loading"},
    {"add", registration_add, METHOD_FASTCALL, "add(name, function, signature | None, options: dict) -> bool, while loading"},
    {"at_exit", registration_at_exit, METHOD_FASTCALL, "at_exit(function) -> bool, while loading"},
    {"fork_beside", fork_beside, METHOD_FASTCALL, "fork_beside() -> int | None, while loading"},
};

bool host_module_make(void) {
    PyObject *module = py.PyImport_AddModule("_taskhost"); /* borrowed; sys.modules keeps it */
    PyObject *name = module != NULL ? py.PyObject_GetAttrString(module, "__name__") : NULL;
    if (name == NULL) {
        return false;
    }
    for (size_t index = 0; index < sizeof methods / sizeof methods[0]; index++) {
        PyObject *function = py.PyCFunction_NewEx(&methods[index], NULL, name);
        if (function == NULL || py.PyObject_SetAttrString(module, methods[index].name, function) != 0) {
            return false;
        }
        py.Py_DecRef(function);
    }
    py.Py_DecRef(name);
    return true;
}
