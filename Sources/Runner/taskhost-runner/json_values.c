/* json - what a value says: its kind, and the text of strings. */
#include "json.h"

#include "json_plain.h"
#include "utf8.h"

#include <stdint.h>
#include <string.h>

enum json_kind json_kind(struct json_slice value) {
    switch (value.text[0]) {
    case 'n': return JSON_NULL;
    case 't':
    case 'f': return JSON_BOOL;
    case '"': return JSON_STRING;
    case '[': return JSON_ARRAY;
    case '{': return JSON_OBJECT;
    default: break;
    }
    for (size_t index = 0; index < value.length; index++) {
        char byte = value.text[index];
        if (byte != '-' && (byte < '0' || byte > '9')) {
            return JSON_FLOAT;
        }
    }
    return JSON_INTEGER;
}

const char *json_python_type(struct json_slice value) {
    static const char *const names[] = {
        [JSON_NULL] = "NoneType", [JSON_BOOL] = "bool",  [JSON_INTEGER] = "int", [JSON_FLOAT] = "float",
        [JSON_STRING] = "str",    [JSON_ARRAY] = "list", [JSON_OBJECT] = "dict",
    };
    return names[json_kind(value)];
}

bool json_is_true(struct json_slice value) {
    return value.text[0] == 't';
}

static uint32_t hex4(const char *at) {
    uint32_t code = 0;
    for (int index = 0; index < 4; index++) {
        char byte = at[index];
        code = code << 4 | (uint32_t)(byte <= '9' ? byte - '0' : (byte | 32) - 'a' + 10);
    }
    return code;
}

/* Reads the escape at *at (valid by json_value) into a character; UINT32_MAX: half a surrogate pair. */
static uint32_t read_escape(const char **at, const char *end) {
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    char letter = (*at)[1];
    if (letter != 'u') {
        *at += 2;
        const char *found = strchr(letters, letter);
        return (unsigned char)(found != NULL ? meanings[found - letters] : letter);
    }
    uint32_t code = hex4(*at + 2);
    *at += 6;
    if (code < 0xd800 || code > 0xdfff) {
        return code;
    }
    if (code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
        uint32_t low = hex4(*at + 2);
        if (low >= 0xdc00 && low <= 0xdfff) {
            *at += 6;
            return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return UINT32_MAX;
}

enum json_text_fault json_decode_string(struct json_slice value, char *out, size_t *length) {
    const char *at = value.text + 1, *end = value.text + value.length - 1;
    char *start = out;
    bool has_nul = false;
    while (true) {
        size_t plain = json_plain_length(at, end);
        memcpy(out, at, plain);
        out += plain;
        at += plain;
        if (at >= end) {
            break;
        }
        if (*at == '\\') {
            uint32_t code = read_escape(&at, end);
            if (code == UINT32_MAX) {
                return JSON_TEXT_SURROGATE;
            }
            has_nul = has_nul || code == 0;
            out += utf8_write(out, code);
            continue;
        }
        size_t width = utf8_width(at, end);
        if (width == 0) {
            return JSON_TEXT_NO_UTF8;
        }
        do {
            *out++ = *at++;
        } while (--width > 0);
    }
    *length = (size_t)(out - start);
    return has_nul ? JSON_TEXT_NUL : JSON_TEXT_FINE;
}

bool json_string_equals(struct json_slice value, const char *text) {
    size_t length = strlen(text);
    if (memchr(value.text, '\\', value.length) == NULL) {
        return value.length == length + 2 && memcmp(value.text + 1, text, length) == 0;
    }
    char decoded[256];
    size_t decoded_length;
    return value.length <= sizeof decoded && json_decode_string(value, decoded, &decoded_length) == JSON_TEXT_FINE &&
           decoded_length == length && memcmp(decoded, text, length) == 0;
}
