/* convert - JSON values as the C values of a typed function's parameters. */
#ifndef RUNNER_CONVERT_H
#define RUNNER_CONVERT_H
#include "bind.h"

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

/* One JSON value as one parameter. False: `fault` says what Python would raise. Pointers in `value` live in the arena,
 * the body or the registry. */
bool convert_value(const struct task_entry *entry, const struct parameter *parameter, struct json_slice json,
                   union value *value, struct bind_fault *fault);
/* What bind_call gave, or the defaults; the context's value is left as it is. */
bool convert_arguments(const struct task_entry *entry, const struct json_slice *bound, union value *values,
                       struct bind_fault *fault);
/* At registration: every default is of its parameter's type. */
bool convert_check_defaults(const struct task_entry *entry, struct text *fault);
#endif
