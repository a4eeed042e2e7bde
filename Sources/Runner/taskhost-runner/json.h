/* json - reads JSON in place: values are slices of the text they stand in. Accepts what Python's json module does
 * (NaN, Infinity, -Infinity, integers of any size). */
#ifndef RUNNER_JSON_H
#define RUNNER_JSON_H
#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_INTEGER, JSON_FLOAT, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_cursor {
    const char *at, *end;
};

/* One whole, valid value without blanks around it. */
struct json_slice {
    const char *text;
    size_t length;
};

/* Takes the next value; false and `at` at the fault if it is none. Nesting beyond 512 is a fault. */
bool json_value(struct json_cursor *cursor, struct json_slice *value);
/* Skips blanks and then the byte, if it is there. */
bool json_take(struct json_cursor *cursor, char byte);
/* True if the text is one value and nothing else; it is then in `value`. */
bool json_whole(const char *text, size_t length, struct json_slice *value);

enum json_kind json_kind(struct json_slice value);
/* What Python calls a value of this kind, e.g. "float". */
const char *json_python_type(struct json_slice value);
bool json_is_true(struct json_slice value);

enum json_text_fault { JSON_TEXT_FINE, JSON_TEXT_NUL, JSON_TEXT_SURROGATE, JSON_TEXT_NO_UTF8 };
/* Decodes a string value; `out` has room for value.length bytes. Not terminated. With JSON_TEXT_NUL the text is
 * whole, too. */
enum json_text_fault json_decode_string(struct json_slice value, char *out, size_t *length);
bool json_string_equals(struct json_slice value, const char *text);
#endif
