/* libmongoc and libbson as far as they are used, opened at use: linked, they and what they bring (ICU, OpenSSL, SASL,
 * libmongocrypt) would cost every host some megabytes. Declared after libmongoc 1.x, whose binary interface
 * (libmongoc-1.0.so.0) is kept. */
#ifndef TASKHOST_CMONGO_MONGO_H
#define TASKHOST_CMONGO_MONGO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct _bson_t bson_t;
typedef struct _mongoc_bulk_operation_t mongoc_bulk_operation_t;
typedef struct _mongoc_client_t mongoc_client_t;
typedef struct _mongoc_collection_t mongoc_collection_t;
typedef struct _mongoc_cursor_t mongoc_cursor_t;
typedef struct _mongoc_read_prefs_t mongoc_read_prefs_t;
typedef struct _mongoc_uri_t mongoc_uri_t;
typedef struct _mongoc_write_concern_t mongoc_write_concern_t;

typedef struct {
    uint32_t domain;
    uint32_t code;
    char message[504];
} __attribute__((aligned(8))) bson_error_t;

enum mongo_error_domain {
    MONGO_ERROR_CLIENT = 1,
    MONGO_ERROR_QUERY = 5,
    MONGO_ERROR_BSON = 8,
    MONGO_ERROR_COMMAND = 11,
    MONGO_ERROR_WRITE_CONCERN = 16,
    MONGO_ERROR_SERVER = 17,
};
/* Of the domain MONGO_ERROR_CLIENT. */
enum { MONGO_ERROR_CLIENT_AUTHENTICATE = 11 };
enum { MONGO_ERROR_API_VERSION_2 = 2 };

/* Result, name, parameters. */
#define MONGO_FUNCTIONS(X)                                                                                            \
    X(void, mongoc_init, (void))                                                                                      \
    X(void, mongoc_log_set_handler, (void *handler, void *data))                                                      \
    X(mongoc_uri_t *, mongoc_uri_new_with_error, (const char *text, bson_error_t *error))                             \
    X(void, mongoc_uri_destroy, (mongoc_uri_t * uri))                                                                 \
    X(bool, mongoc_uri_has_option, (const mongoc_uri_t *uri, const char *name))                                       \
    X(bool, mongoc_uri_set_option_as_int32, (mongoc_uri_t * uri, const char *name, int32_t value))                    \
    X(const mongoc_write_concern_t *, mongoc_uri_get_write_concern, (const mongoc_uri_t *uri))                        \
    X(bool, mongoc_write_concern_is_acknowledged, (const mongoc_write_concern_t *concern))                            \
    X(mongoc_client_t *, mongoc_client_new_from_uri_with_error, (const mongoc_uri_t *uri, bson_error_t *error))       \
    X(bool, mongoc_client_set_error_api, (mongoc_client_t * client, int32_t version))                                 \
    X(bool, mongoc_client_set_appname, (mongoc_client_t * client, const char *name))                                  \
    X(mongoc_collection_t *, mongoc_client_get_collection,                                                            \
      (mongoc_client_t * client, const char *database, const char *name))                                             \
    X(bool, mongoc_client_command_simple,                                                                             \
      (mongoc_client_t * client, const char *database, const bson_t *command, const mongoc_read_prefs_t *preferences, \
       bson_t *reply, bson_error_t *error))                                                                           \
    X(void, mongoc_client_destroy, (mongoc_client_t * client))                                                        \
    X(const char *, mongoc_collection_get_name, (mongoc_collection_t * collection))                                   \
    X(mongoc_bulk_operation_t *, mongoc_collection_create_bulk_operation_with_opts,                                   \
      (mongoc_collection_t * collection, const bson_t *options))                                                      \
    X(mongoc_cursor_t *, mongoc_collection_find_with_opts,                                                            \
      (mongoc_collection_t * collection, const bson_t *filter, const bson_t *options,                                 \
       const mongoc_read_prefs_t *preferences))                                                                       \
    X(bool, mongoc_collection_delete_many,                                                                            \
      (mongoc_collection_t * collection, const bson_t *filter, const bson_t *options, bson_t *reply,                  \
       bson_error_t *error))                                                                                          \
    X(void, mongoc_collection_destroy, (mongoc_collection_t * collection))                                            \
    X(bool, mongoc_bulk_operation_replace_one_with_opts,                                                              \
      (mongoc_bulk_operation_t * bulk, const bson_t *filter, const bson_t *document, const bson_t *options,           \
       bson_error_t *error))                                                                                          \
    X(uint32_t, mongoc_bulk_operation_execute, (mongoc_bulk_operation_t * bulk, bson_t *reply, bson_error_t *error))  \
    X(void, mongoc_bulk_operation_destroy, (mongoc_bulk_operation_t * bulk))                                          \
    X(bool, mongoc_cursor_next, (mongoc_cursor_t * cursor, const bson_t **document))                                  \
    X(bool, mongoc_cursor_error, (mongoc_cursor_t * cursor, bson_error_t *error))                                     \
    X(void, mongoc_cursor_destroy, (mongoc_cursor_t * cursor))                                                        \
    X(bson_t *, bson_new_from_data, (const uint8_t *data, size_t length))                                             \
    X(void, bson_init, (bson_t * document))                                                                           \
    X(const uint8_t *, bson_get_data, (const bson_t *document))                                                       \
    X(void, bson_destroy, (bson_t * document))

struct mongo_library {
#define MONGO_MEMBER(result, name, parameters) result (*name) parameters;
    MONGO_FUNCTIONS(MONGO_MEMBER)
#undef MONGO_MEMBER
};

/* Opens it, for good. NULL: it is not there, or lacks a function; `reason` (of `size` bytes) says which. */
const struct mongo_library *mongo_open(char *reason, size_t size);

#endif
