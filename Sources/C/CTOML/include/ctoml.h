/* toml++ (Debian: libtomlplusplus-dev) for Swift, which cannot call its templates: a document as a sequence of items. */
#ifndef TASKHOST_CTOML_H
#define TASKHOST_CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ctoml_kind {
    CTOML_TABLE, /* its values follow, by the order of their keys, up to an END */
    CTOML_ARRAY, /* its values follow up to an END */
    CTOML_END,
    CTOML_TEXT,
    CTOML_INTEGER,
    CTOML_NUMBER,
    CTOML_FLAG,
    CTOML_TIME, /* a date or a time; which one is not said */
};

/* What the kind does not name is 0. No text ends with a NUL, and any may hold one. */
struct ctoml_item {
    enum ctoml_kind kind;
    const char *key; /* NULL: an element of an array, the whole document, or an END */
    size_t key_length;
    const char *text;
    size_t text_length;
    int64_t integer; /* of a flag: 0 or 1 */
    double number;
};

struct ctoml_error {
    char message[1024];
    uint32_t line, column; /* from 1 */
};

typedef void (*ctoml_visit)(void *context, const struct ctoml_item *item);

/* The whole document is one TABLE. false: it is none, `error` says why, and nothing was visited. */
bool ctoml_parse(const char *text, size_t length, ctoml_visit visit, void *context, struct ctoml_error *error);

#ifdef __cplusplus
}
#endif

#endif
