/* signature - "x:f64,y:f64=0.5->f64" taken apart. */
#ifndef RUNNER_SIGNATURE_H
#define RUNNER_SIGNATURE_H
#include "text.h"

#include <ffi.h>

enum { MAX_PARAMETERS = 32 };

enum value_type {
    TYPE_VOID,
    TYPE_BOOL,
    TYPE_I8,
    TYPE_I16,
    TYPE_I32,
    TYPE_I64,
    TYPE_U8,
    TYPE_U16,
    TYPE_U32,
    TYPE_U64,
    TYPE_F32,
    TYPE_F64,
    TYPE_STR,
    TYPE_STR_OWNED,
    TYPE_BYTES,
    TYPE_JSON,
    TYPE_JSON_OWNED,
    TYPE_CONTEXT,
    TYPE_OTHER /* documentation of a handler: only the text counts */
};

/* Which arguments of a call a parameter takes: one, the positional ones that are left over, the keyword ones. */
enum parameter_kind { PARAMETER_ONE, PARAMETER_REST, PARAMETER_NAMED };

struct parameter {
    char *name; /* without stars */
    enum parameter_kind kind; /* of typed functions always PARAMETER_ONE */
    char *type_text;
    char *default_json; /* NULL: required, or no PARAMETER_ONE */
    enum value_type type;
};

struct signature {
    struct parameter parameters[MAX_PARAMETERS];
    unsigned count;
    char *result_text; /* NULL: not said */
    enum value_type result;
    /* Typed functions only. */
    ffi_cif call;
    ffi_type *argument_types[MAX_PARAMETERS];
};

/* What stands before the name: "", "*" or "**". */
const char *signature_stars(enum parameter_kind kind);
/* False: `fault` says what is wrong, without a full stop. typed: every type must be one the runner can pass. */
bool signature_parse(struct signature *signature, const char *text, bool typed, struct text *fault);
#endif
