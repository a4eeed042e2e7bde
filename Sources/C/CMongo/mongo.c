/* Finds the functions of libmongoc; those of libbson come with it. */
#include "mongo.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

const struct mongo_library *mongo_open(char *reason, size_t size) {
    static struct mongo_library library;
    void *handle = dlopen("libmongoc-1.0.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        snprintf(reason, size, "%s", dlerror());
        return NULL;
    }
    void *found;
#define MONGO_FIND(result, name, parameters)                                 \
    if (!(found = dlsym(handle, #name))) {                                   \
        snprintf(reason, size, "libmongoc-1.0.so.0 has no function " #name); \
        return NULL;                                                         \
    }                                                                        \
    memcpy(&library.name, &found, sizeof found);
    MONGO_FUNCTIONS(MONGO_FIND)
    return &library;
}
