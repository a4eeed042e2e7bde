/* libmariadb (Debian: libmariadb-dev) for Swift: its own headers, nothing added. */
#ifndef TASKHOST_CMARIADB_SHIM_H
#define TASKHOST_CMARIADB_SHIM_H

#include <mysql.h>

#endif
