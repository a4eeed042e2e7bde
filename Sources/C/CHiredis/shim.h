/* hiredis (Debian: libhiredis-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CHIREDIS_SHIM_H
#define TASKHOST_CHIREDIS_SHIM_H

#include <sys/time.h>

#include <hiredis/hiredis.h>
#include <hiredis/async.h>

#endif
