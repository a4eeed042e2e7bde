/* zlib (Debian: zlib1g-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CZLIB_SHIM_H
#define TASKHOST_CZLIB_SHIM_H

#include <zlib.h>

#endif
