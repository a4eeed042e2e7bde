/* liblzma (Debian: liblzma-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CLZMA_SHIM_H
#define TASKHOST_CLZMA_SHIM_H

#include <lzma.h>

#endif
