/* libmongoc and libbson (Debian: libmongoc-dev) for Swift: their own headers, nothing added. */
#ifndef TASKHOST_CMONGO_SHIM_H
#define TASKHOST_CMONGO_SHIM_H

#include <mongoc/mongoc.h>

#endif
