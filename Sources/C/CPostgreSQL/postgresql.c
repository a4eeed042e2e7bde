/* The functions of libpq that are used: each finds the library's own of the same name. */
#include "postgresql.h"

#include <pthread.h>

#include <library.h>

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

static char reason[256];
static const char *missing;

static void open_once(void) {
#define FUNCTION(result, name, parameters, arguments) {#name, &its_##name},
    static const struct library_function functions[] = {FUNCTIONS(FUNCTION)};
    if (library_open("libpq.so.5", functions, sizeof functions / sizeof functions[0], reason, sizeof reason) != 0) missing = reason;
}

const char *postgresql_open(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_once);
    return missing;
}
