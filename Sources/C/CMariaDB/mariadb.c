/* The functions of libmariadb that are used: each finds the library's own of the same name. */
#include "mariadb.h"

#include <pthread.h>

#include <library.h>

/* Result, name, parameters, arguments. */
#define FUNCTIONS(X)                                                                                                    \
    X(MYSQL *, mysql_init, (MYSQL * connection), (connection))                                                          \
    X(void, mysql_close, (MYSQL * connection), (connection))                                                            \
    X(int, mysql_options, (MYSQL * connection, enum mysql_option option, const void *value),                            \
      (connection, option, value))                                                                                      \
    X(int, mysql_options4, (MYSQL * connection, enum mysql_option option, const void *name, const void *value),         \
      (connection, option, name, value))                                                                                \
    X(int, mysql_ssl_set,                                                                                               \
      (MYSQL * connection, const char *key, const char *certificate, const char *authority, const char *folder,         \
       const char *cipher),                                                                                             \
      (connection, key, certificate, authority, folder, cipher))                                                        \
    X(int, mysql_real_connect_start,                                                                                    \
      (MYSQL * *done, MYSQL *connection, const char *host, const char *user, const char *password,                      \
       const char *database, unsigned int port, const char *socket, unsigned long flags),                               \
      (done, connection, host, user, password, database, port, socket, flags))                                          \
    X(int, mysql_real_connect_cont, (MYSQL * *done, MYSQL *connection, int ready), (done, connection, ready))           \
    X(int, mysql_real_query_start, (int *done, MYSQL *connection, const char *text, unsigned long length),              \
      (done, connection, text, length))                                                                                 \
    X(int, mysql_real_query_cont, (int *done, MYSQL *connection, int ready), (done, connection, ready))                 \
    X(int, mysql_store_result_start, (MYSQL_RES * *done, MYSQL *connection), (done, connection))                        \
    X(int, mysql_store_result_cont, (MYSQL_RES * *done, MYSQL *connection, int ready), (done, connection, ready))       \
    X(my_socket, mysql_get_socket, (MYSQL * connection), (connection))                                                  \
    X(my_ulonglong, mysql_affected_rows, (MYSQL * connection), (connection))                                            \
    X(unsigned int, mysql_field_count, (MYSQL * connection), (connection))                                              \
    X(unsigned int, mysql_errno, (MYSQL * connection), (connection))                                                    \
    X(const char *, mysql_error, (MYSQL * connection), (connection))                                                    \
    X(const char *, mysql_sqlstate, (MYSQL * connection), (connection))                                                 \
    X(unsigned int, mysql_num_fields, (MYSQL_RES * result), (result))                                                   \
    X(MYSQL_ROW, mysql_fetch_row, (MYSQL_RES * result), (result))                                                       \
    X(unsigned long *, mysql_fetch_lengths, (MYSQL_RES * result), (result))                                             \
    X(void, mysql_free_result, (MYSQL_RES * result), (result))

#define DEFINE(result, name, parameters, arguments) \
    static __typeof__(&name) its_##name;            \
    result name parameters { return its_##name arguments; }
FUNCTIONS(DEFINE)

static char reason[256];
static const char *missing;

static void open_once(void) {
#define FUNCTION(result, name, parameters, arguments) {#name, &its_##name},
    static const struct library_function functions[] = {FUNCTIONS(FUNCTION)};
    if (library_open("libmariadb.so.3", functions, sizeof functions / sizeof functions[0], reason, sizeof reason) != 0) missing = reason;
}

const char *mariadb_open(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, open_once);
    return missing;
}
