/* Finds the functions of libmongoc; those of libbson come with it. */
#include "mongo.h"

#include <library.h>

const struct mongo_library *mongo_open(char *reason, size_t size) {
    static struct mongo_library library;
#define FUNCTION(result, name, parameters) {#name, &library.name},
    static const struct library_function functions[] = {MONGO_FUNCTIONS(FUNCTION)};
    const size_t count = sizeof functions / sizeof functions[0];
    return library_open("libmongoc-1.0.so.0", functions, count, reason, size) == 0 ? &library : NULL;
}
