/* The functions of libpq that are used: each finds the library's own of the same name. */
#include "postgresql.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Result, name, parameters, arguments. */
#define FUNCTIONS(X)                                                                                                    \
    X(PGconn *, PQconnectStartParams, (const char *const *keywords, const char *const *values, int expands),            \
      (keywords, values, expands))                                                                                      \
    X(PostgresPollingStatusType, PQconnectPoll, (PGconn * connection), (connection))                                    \
    X(void, PQfinish, (PGconn * connection), (connection))                                                              \
    X(ConnStatusType, PQstatus, (const PGconn *connection), (connection))                                               \
    X(char *, PQerrorMessage, (const PGconn *connection), (connection))                                                 \
    X(int, PQsocket, (const PGconn *connection), (connection))                                                          \
    X(int, PQbackendPID, (const PGconn *connection), (connection))                                                      \
    X(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * connection, PQnoticeProcessor processor, void *data),          \
      (connection, processor, data))                                                                                    \
    X(int, PQsendQueryParams,                                                                                           \
      (PGconn * connection, const char *command, int count, const Oid *types, const char *const *values,                \
       const int *lengths, const int *formats, int format),                                                             \
      (connection, command, count, types, values, lengths, formats, format))                                            \
    X(PGresult *, PQgetResult, (PGconn * connection), (connection))                                                     \
    X(int, PQisBusy, (PGconn * connection), (connection))                                                               \
    X(int, PQconsumeInput, (PGconn * connection), (connection))                                                         \
    X(int, PQenterPipelineMode, (PGconn * connection), (connection))                                                    \
    X(int, PQpipelineSync, (PGconn * connection), (connection))                                                         \
    X(PGnotify *, PQnotifies, (PGconn * connection), (connection))                                                      \
    X(int, PQsetnonblocking, (PGconn * connection, int is), (connection, is))                                           \
    X(int, PQflush, (PGconn * connection), (connection))                                                                \
    X(ExecStatusType, PQresultStatus, (const PGresult *result), (result))                                               \
    X(char *, PQresultErrorMessage, (const PGresult *result), (result))                                                 \
    X(char *, PQresultErrorField, (const PGresult *result, int field), (result, field))                                 \
    X(int, PQntuples, (const PGresult *result), (result))                                                               \
    X(int, PQnfields, (const PGresult *result), (result))                                                               \
    X(char *, PQcmdTuples, (PGresult * result), (result))                                                               \
    X(char *, PQgetvalue, (const PGresult *result, int row, int column), (result, row, column))                         \
    X(int, PQgetlength, (const PGresult *result, int row, int column), (result, row, column))                           \
    X(int, PQgetisnull, (const PGresult *result, int row, int column), (result, row, column))                           \
    X(void, PQclear, (PGresult * result), (result))                                                                     \
    X(void, PQfreemem, (void *memory), (memory))

#define DEFINE(result, name, parameters, arguments)       \
    static __typeof__(&name) its_##name;                  \
    result name parameters { return its_##name arguments; }
FUNCTIONS(DEFINE)

static const char *missing;
static char reason[256];

static void *find(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found && !missing) {
        snprintf(reason, sizeof reason, "libpq.so.5 has no function %s", name);
        missing = reason;
    }
    return found;
}

static void open_once(void) {
    void *library = dlopen("libpq.so.5", RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
        snprintf(reason, sizeof reason, "%s", dlerror());
        missing = reason;
        return;
    }
    void *found;
#define FIND(result, name, parameters, arguments) \
    found = find(library, #name);                 \
    memcpy(&its_##name, &found, sizeof found);
    FUNCTIONS(FIND)
}

const char *postgresql_open(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_once);
    return missing;
}
