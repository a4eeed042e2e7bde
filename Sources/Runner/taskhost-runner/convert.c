/* convert - one JSON value as one C value. */
#include "convert.h"

#include "arena.h"
#include "base64.h"
#include "locale_free.h"

#include <math.h>
#include <string.h>

struct conversion {
    const struct task_entry *entry;
    const struct parameter *parameter;
    struct json_slice json;
    struct bind_fault *fault;
};

__attribute__((format(printf, 3, 4))) static bool raise_fault(const struct conversion *this, const char *type,
                                                              const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_append_arguments(&this->fault->message, format, arguments);
    va_end(arguments);
    this->fault->type = type;
    return false;
}

static bool wrong_type(const struct conversion *this, const char *wanted) {
    return raise_fault(this, "TypeError", "%s() argument '%s' must be %s, not %s", this->entry->function_name,
                       this->parameter->name, wanted, json_python_type(this->json));
}

static bool out_of_range(const struct conversion *this) {
    return raise_fault(this, "OverflowError", "%s() argument '%s' is out of range for %s: %.*s",
                       this->entry->function_name, this->parameter->name, this->parameter->type_text,
                       this->json.length > 60 ? 60 : (int)this->json.length, this->json.text);
}

/* The integer's absolute value; true and false are 1 and 0, as Python has it. */
static bool read_magnitude(const struct conversion *this, uint64_t *magnitude, bool *negative) {
    enum json_kind kind = json_kind(this->json);
    *negative = false;
    *magnitude = json_is_true(this->json);
    if (kind == JSON_BOOL) {
        return true;
    }
    if (kind != JSON_INTEGER) {
        return raise_fault(this, "TypeError", "'%s' object cannot be interpreted as an integer",
                           json_python_type(this->json));
    }
    const char *at = this->json.text, *end = at + this->json.length;
    *negative = *at == '-';
    *magnitude = 0;
    for (at += *negative; at < end; at++) {
        if (__builtin_mul_overflow(*magnitude, 10, magnitude) ||
            __builtin_add_overflow(*magnitude, (uint64_t)(*at - '0'), magnitude)) {
            return out_of_range(this);
        }
    }
    return true;
}

static bool convert_signed(const struct conversion *this, int64_t most, int64_t *out) {
    uint64_t magnitude;
    bool negative;
    if (!read_magnitude(this, &magnitude, &negative)) {
        return false;
    }
    if (magnitude > (uint64_t)most + negative) {
        return out_of_range(this);
    }
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static bool convert_unsigned(const struct conversion *this, uint64_t most, uint64_t *out) {
    bool negative;
    if (!read_magnitude(this, out, &negative)) {
        return false;
    }
    return (*out <= most && !(negative && *out > 0)) || out_of_range(this);
}

/* Short decimals exactly: both the digits and the power of ten are exact doubles, so one division rounds once. */
static bool read_short_decimal(struct json_slice json, double *out) {
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    bool negative = json.text[0] == '-';
    if (json.length > 16) {
        return false;
    }
    int64_t digits = 0;
    size_t after_point = 0;
    bool point = false;
    for (size_t index = negative; index < json.length; index++) {
        char byte = json.text[index];
        if (byte == '.') {
            point = true;
        } else if (byte >= '0' && byte <= '9') {
            digits = digits * 10 + (byte - '0');
            after_point += point;
        } else {
            return false;
        }
    }
    *out = (double)digits / powers[after_point];
    *out = negative ? -*out : *out;
    return true;
}

static bool convert_double(const struct conversion *this, double *out) {
    enum json_kind kind = json_kind(this->json);
    if (kind == JSON_BOOL) {
        *out = json_is_true(this->json);
        return true;
    }
    if (kind != JSON_INTEGER && kind != JSON_FLOAT) {
        return raise_fault(this, "TypeError", "must be real number, not %s", json_python_type(this->json));
    }
    if (read_short_decimal(this->json, out)) {
        return true;
    }
    /* strtod knows NaN and Infinity, too. */
    *out = c_parse_double(arena_copy(this->json.text, this->json.length), NULL);
    if (kind == JSON_INTEGER && isinf(*out)) {
        return raise_fault(this, "OverflowError", "int too large to convert to float");
    }
    return true;
}

static bool decode_text(const struct conversion *this, struct json_slice json, bool nul_is_fine,
                        struct bytes_value *out) {
    char *text = arena_take(json.length);
    size_t length = 0;
    const char *name = this->parameter->name;
    switch (json_decode_string(json, text, &length)) {
    case JSON_TEXT_SURROGATE:
        return raise_fault(this, "ValueError", "argument '%s' holds half of a surrogate pair, which is no UTF-8", name);
    case JSON_TEXT_NO_UTF8: return raise_fault(this, "ValueError", "argument '%s' is no UTF-8", name);
    case JSON_TEXT_NUL:
        if (!nul_is_fine) {
            return raise_fault(this, "ValueError", "embedded null character");
        }
        break;
    case JSON_TEXT_FINE: break;
    }
    text[length] = '\0'; /* there is room: the quotes took two */
    *out = (struct bytes_value){text, length};
    return true;
}

static bool convert_string(const struct conversion *this, union value *value) {
    const char *otherwise = this->parameter->default_json;
    struct bytes_value text;
    if (json_kind(this->json) == JSON_NULL && otherwise != NULL && strcmp(otherwise, "null") == 0) {
        value->pointer = NULL;
        return true;
    }
    if (json_kind(this->json) != JSON_STRING) {
        return wrong_type(this, "str");
    }
    if (!decode_text(this, this->json, false, &text)) {
        return false;
    }
    value->pointer = text.data;
    return true;
}

/* {"__type__": "bytes", "__value__": text} or {"__type__": "base64", "__value__": base64}, as Celery writes bytes. */
static bool open_typed(struct json_slice json, struct json_slice *type, struct json_slice *content) {
    struct json_cursor in = {json.text + 1, json.text + json.length};
    struct json_slice key, value;
    *type = *content = (struct json_slice){0};
    while (!json_take(&in, '}')) {
        json_take(&in, ',');
        json_value(&in, &key);
        json_take(&in, ':');
        json_value(&in, &value);
        if (json_kind(value) != JSON_STRING) {
            return false;
        }
        if (json_string_equals(key, "__type__")) {
            *type = value;
        } else if (json_string_equals(key, "__value__")) {
            *content = value;
        } else {
            return false;
        }
    }
    return type->text != NULL && content->text != NULL;
}

static bool convert_bytes(const struct conversion *this, struct bytes_value *out) {
    struct json_slice type = {"\"base64\"", 8}, content = this->json;
    enum json_kind kind = json_kind(this->json);
    if (kind == JSON_OBJECT ? !open_typed(this->json, &type, &content) : kind != JSON_STRING) {
        return wrong_type(this, "bytes");
    }
    if (json_string_equals(type, "bytes")) {
        return decode_text(this, content, true, out);
    }
    if (!json_string_equals(type, "base64")) {
        return wrong_type(this, "bytes");
    }
    if (!decode_text(this, content, false, out)) {
        return false;
    }
    return base64_decode((char *)out->data, &out->length) ||
           raise_fault(this, "ValueError", "argument '%s' is no base64", this->parameter->name);
}

static bool convert_bool(const struct conversion *this, uint8_t *out) {
    *out = json_is_true(this->json);
    return json_kind(this->json) == JSON_BOOL || wrong_type(this, "bool");
}

static bool convert_integer(const struct conversion *this, union value *value) {
    int64_t i = 0;
    uint64_t u = 0;
    switch (this->parameter->type) {
    case TYPE_I8: return convert_signed(this, INT8_MAX, &i) && (value->i8 = (int8_t)i, true);
    case TYPE_I16: return convert_signed(this, INT16_MAX, &i) && (value->i16 = (int16_t)i, true);
    case TYPE_I32: return convert_signed(this, INT32_MAX, &i) && (value->i32 = (int32_t)i, true);
    case TYPE_U8: return convert_unsigned(this, UINT8_MAX, &u) && (value->u8 = (uint8_t)u, true);
    case TYPE_U16: return convert_unsigned(this, UINT16_MAX, &u) && (value->u16 = (uint16_t)u, true);
    case TYPE_U32: return convert_unsigned(this, UINT32_MAX, &u) && (value->u32 = (uint32_t)u, true);
    case TYPE_U64: return convert_unsigned(this, UINT64_MAX, &value->u64);
    default: return convert_signed(this, INT64_MAX, &value->i64);
    }
}

bool convert_value(const struct task_entry *entry, const struct parameter *parameter, struct json_slice json,
                   union value *value, struct bind_fault *fault) {
    const struct conversion this = {entry, parameter, json, fault};
    double number;
    switch (parameter->type) {
    case TYPE_BOOL: return convert_bool(&this, &value->u8);
    case TYPE_F64: return convert_double(&this, &value->f64);
    case TYPE_F32: return convert_double(&this, &number) && (value->f32 = (float)number, true);
    case TYPE_STR: return convert_string(&this, value);
    case TYPE_BYTES: return convert_bytes(&this, &value->bytes);
    case TYPE_JSON: value->pointer = arena_copy(json.text, json.length); return true;
    default: return convert_integer(&this, value);
    }
}
