/* libpq (Debian: libpq-dev) for Swift: its own header. The library is opened at use: linked, it and what it brings (GSSAPI,
 * LDAP, GnuTLS) would cost every host time to start and a megabyte. */
#ifndef TASKHOST_CPOSTGRESQL_POSTGRESQL_H
#define TASKHOST_CPOSTGRESQL_POSTGRESQL_H

#if __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#else
#include <libpq-fe.h>
#endif

/* To be called before any of its functions. NULL: it is there; else why not. Thread-safe. */
const char *postgresql_open(void);

#endif
