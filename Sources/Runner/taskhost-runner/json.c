/* json - finds where values end, and that they are values. */
#include "json.h"

#include "json_plain.h"
#include "utf8.h"

#include <string.h>

enum { MAX_DEPTH = 512 };

static void skip_blanks(struct json_cursor *cursor) {
    while (cursor->at < cursor->end &&
           (*cursor->at == ' ' || *cursor->at == '\n' || *cursor->at == '\t' || *cursor->at == '\r')) {
        cursor->at++;
    }
}

bool json_take(struct json_cursor *cursor, char byte) {
    skip_blanks(cursor);
    if (cursor->at < cursor->end && *cursor->at == byte) {
        cursor->at++;
        return true;
    }
    return false;
}

static bool take_word(struct json_cursor *cursor, const char *word) {
    size_t length = strlen(word);
    if ((size_t)(cursor->end - cursor->at) < length || memcmp(cursor->at, word, length) != 0) {
        return false;
    }
    cursor->at += length;
    return true;
}

static bool is_hex(char byte) {
    return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'f');
}

static bool skip_escape(struct json_cursor *cursor) {
    if (cursor->end - cursor->at < 2) {
        return false;
    }
    char letter = cursor->at[1];
    if (letter == 'u') {
        if (cursor->end - cursor->at < 6) {
            return false;
        }
        for (int index = 2; index < 6; index++) {
            if (!is_hex(cursor->at[index])) {
                return false;
            }
        }
        cursor->at += 6;
        return true;
    }
    if (letter == '\0' || strchr("\"\\/bfnrt", letter) == NULL) {
        return false;
    }
    cursor->at += 2;
    return true;
}

static bool skip_string(struct json_cursor *cursor) {
    cursor->at++;
    while (true) {
        cursor->at += json_plain_length(cursor->at, cursor->end);
        if (cursor->at == cursor->end) {
            return false;
        }
        unsigned char byte = (unsigned char)*cursor->at;
        if (byte == '"') {
            cursor->at++;
            return true;
        }
        if (byte < 0x20) {
            return false;
        }
        if (byte == '\\') {
            if (!skip_escape(cursor)) {
                return false;
            }
        } else {
            cursor->at++;
        }
    }
}

static size_t skip_digits(struct json_cursor *cursor) {
    const char *start = cursor->at;
    while (cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9') {
        cursor->at++;
    }
    return (size_t)(cursor->at - start);
}

static bool skip_number(struct json_cursor *cursor) {
    if (*cursor->at == '-') {
        cursor->at++;
    }
    if (cursor->at < cursor->end && *cursor->at == 'I') {
        return take_word(cursor, "Infinity");
    }
    const char *first = cursor->at;
    size_t digits = skip_digits(cursor);
    if (digits == 0 || (digits > 1 && *first == '0')) {
        return false;
    }
    if (cursor->at < cursor->end && *cursor->at == '.') {
        cursor->at++;
        if (skip_digits(cursor) == 0) {
            return false;
        }
    }
    if (cursor->at < cursor->end && (*cursor->at | 32) == 'e') {
        cursor->at++;
        if (cursor->at < cursor->end && (*cursor->at == '+' || *cursor->at == '-')) {
            cursor->at++;
        }
        return skip_digits(cursor) > 0;
    }
    return true;
}

static bool skip_value(struct json_cursor *cursor, int depth);

static bool skip_container(struct json_cursor *cursor, int depth) {
    bool object = *cursor->at++ == '{';
    char close = object ? '}' : ']';
    if (json_take(cursor, close)) {
        return true;
    }
    do {
        skip_blanks(cursor);
        if (object) {
            bool key = cursor->at < cursor->end && *cursor->at == '"' && skip_string(cursor);
            if (!key || !json_take(cursor, ':')) {
                return false;
            }
        }
        if (!skip_value(cursor, depth + 1)) {
            return false;
        }
    } while (json_take(cursor, ','));
    return json_take(cursor, close);
}

static bool skip_value(struct json_cursor *cursor, int depth) {
    skip_blanks(cursor);
    if (cursor->at >= cursor->end || depth > MAX_DEPTH) {
        return false;
    }
    switch (*cursor->at) {
    case '{':
    case '[': return skip_container(cursor, depth);
    case '"': return skip_string(cursor);
    case 't': return take_word(cursor, "true");
    case 'f': return take_word(cursor, "false");
    case 'n': return take_word(cursor, "null");
    case 'N': return take_word(cursor, "NaN");
    default: return skip_number(cursor);
    }
}

bool json_value(struct json_cursor *cursor, struct json_slice *value) {
    skip_blanks(cursor);
    value->text = cursor->at;
    if (!skip_value(cursor, 0)) {
        return false;
    }
    value->length = (size_t)(cursor->at - value->text);
    return true;
}

bool json_whole(const char *text, size_t length, struct json_slice *value) {
    struct json_cursor cursor = {text, text + length};
    if (!json_value(&cursor, value)) {
        return false;
    }
    skip_blanks(&cursor);
    return cursor.at == cursor.end;
}
