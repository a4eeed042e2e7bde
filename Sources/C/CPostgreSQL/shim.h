/* libpq (Debian: libpq-dev) for Swift: its own header, nothing added. */
#ifndef TASKHOST_CPOSTGRESQL_SHIM_H
#define TASKHOST_CPOSTGRESQL_SHIM_H

#include <libpq-fe.h>

#endif
