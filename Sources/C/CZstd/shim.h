/* Zstandard (Debian: libzstd-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CZSTD_SHIM_H
#define TASKHOST_CZSTD_SHIM_H

#include <zstd.h>

#endif
