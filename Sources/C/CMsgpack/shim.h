/* msgpack-c (Debian: libmsgpack-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CMSGPACK_SHIM_H
#define TASKHOST_CMSGPACK_SHIM_H

#include <msgpack.h>

#endif
