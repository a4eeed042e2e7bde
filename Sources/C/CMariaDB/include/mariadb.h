/* libmariadb (Debian: libmariadb-dev) for Swift: its own header. The library is opened at use: linked, it would cost every
 * host time to start and memory. */
#ifndef TASKHOST_CMARIADB_MARIADB_H
#define TASKHOST_CMARIADB_MARIADB_H

#if __has_include(<mariadb/mysql.h>)
#include <mariadb/mysql.h>
#else
#include <mysql.h>
#endif

/* To be called before any of its functions. NULL: it is there; else why not. Thread-safe. */
const char *mariadb_open(void);

#endif
