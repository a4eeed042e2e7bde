/* SQLite (Debian: libsqlite3-dev) for Swift: its own header, nothing added. */
#ifndef TASKHOST_CSQLITE_SHIM_H
#define TASKHOST_CSQLITE_SHIM_H

#include <sqlite3.h>

#endif
