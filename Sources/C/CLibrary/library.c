/* Opens a library and finds its functions; see library.h. */
#include "library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int library_open(const char *file, const struct library_function *functions, size_t count, char *reason, size_t size) {
    /* All of it now: what a lazy call does not find ends the process. */
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(reason, size, "%s", dlerror());
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        void *found = dlsym(library, functions[i].name);
        if (!found) {
            snprintf(reason, size, "%s has no function %s", file, functions[i].name);
            return -1;
        }
        memcpy(functions[i].pointer, &found, sizeof found);
    }
    return 0;
}
