/* Brotli (Debian: libbrotli-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CBROTLI_SHIM_H
#define TASKHOST_CBROTLI_SHIM_H

#include <brotli/decode.h>
#include <brotli/encode.h>

#endif
