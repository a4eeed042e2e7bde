/* python_api - dlopen and dlsym. */
#define _GNU_SOURCE
#include "python_api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

struct python_api py;

static char why[1024];

const char *python_api_load(const char *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        const char *said = dlerror();
        snprintf(why, sizeof why,
                 "cannot load Python: %s: install a Python with a shared library (Debian: libpython3-dev; pyenv: "
                 "PYTHON_CONFIGURE_OPTS=--enable-shared), or name another interpreter with --python",
                 said != NULL ? said : path);
        return why;
    }
    const struct {
        const char *name;
        void **place;
    } wanted[] = {
#define WANTED(result, function, arguments) {#function, (void **)&py.function},
        PYTHON_FUNCTIONS(WANTED)
#undef WANTED
        {"_Py_NoneStruct", (void **)&py.none},
        {"PyExc_ValueError", (void **)&py.value_error},
    };
    for (size_t index = 0; index < sizeof wanted / sizeof wanted[0]; index++) {
        void *found = dlsym(library, wanted[index].name);
        if (found == NULL) {
            snprintf(why, sizeof why, "cannot use %s: it has no %s: use CPython 3.9 to 3.14", path, wanted[index].name);
            return why;
        }
        memcpy(wanted[index].place, &found, sizeof found);
    }
    py.utf8_mode = dlsym(library, "Py_UTF8Mode");
    *(void **)&py.set_arena_allocator = dlsym(library, "PyObject_SetArenaAllocator");
    return NULL;
}
