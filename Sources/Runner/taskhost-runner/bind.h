/* bind - a message's [args, kwargs] onto a typed function's parameters. */
#ifndef RUNNER_BIND_H
#define RUNNER_BIND_H
#include "json.h"
#include "registry.h"

struct bytes_value {
    const void *data;
    size_t length;
};

union value {
    uint8_t u8;
    int8_t i8;
    uint16_t u16;
    int16_t i16;
    uint32_t u32;
    int32_t i32;
    uint64_t u64;
    int64_t i64;
    float f32;
    double f64;
    const void *pointer;
    struct bytes_value bytes;
};

/* An exception in Python's terms. */
struct bind_fault {
    const char *type; /* of module builtins; static */
    struct text message;
    struct text where; /* for the operator; may be empty */
};

/* False: `fault` says what Python would raise. Pointers in `values` live in the arena, the body or the registry. */
bool bind_arguments(const struct task_entry *entry, const char *body, size_t length, union value *values,
                    struct bind_fault *fault);
/* One JSON value as one parameter. */
bool convert_value(const struct task_entry *entry, const struct parameter *parameter, struct json_slice json,
                   union value *value, struct bind_fault *fault);
/* At registration: every default is of its parameter's type. */
bool bind_check_defaults(const struct task_entry *entry, struct text *fault);
#endif
