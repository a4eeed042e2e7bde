/* bzip2 (Debian: libbz2-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CBZIP2_SHIM_H
#define TASKHOST_CBZIP2_SHIM_H

#include <bzlib.h>

#endif
