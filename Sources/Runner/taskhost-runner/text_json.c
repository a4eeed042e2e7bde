/* How values look as JSON, in the dialect Python's json module reads and writes. */
#include "locale_free.h"
#include "text.h"
#include "utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void append_escaped(struct text *text, unsigned char byte) {
    switch (byte) {
    case '"': text_append(text, "\\\"", 2); return;
    case '\\': text_append(text, "\\\\", 2); return;
    case '\n': text_append(text, "\\n", 2); return;
    case '\r': text_append(text, "\\r", 2); return;
    case '\t': text_append(text, "\\t", 2); return;
    default: text_append_format(text, "\\u%04x", byte);
    }
}

void text_append_json_string(struct text *text, const char *bytes, size_t length) {
    if (bytes == NULL) {
        text_append(text, "null", 4);
        return;
    }
    const char *at = bytes, *end = bytes + length;
    text_append(text, "\"", 1);
    while (at < end) {
        const char *plain = at;
        while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\') {
            at++;
        }
        text_append(text, plain, (size_t)(at - plain));
        if (at == end) {
            break;
        }
        if ((unsigned char)*at < 0x80) {
            append_escaped(text, (unsigned char)*at++);
            continue;
        }
        size_t width = utf8_width(at, end);
        if (width > 0) {
            text_append(text, at, width);
            at += width;
        } else {
            text_append(text, "\xef\xbf\xbd", 3);
            at++;
        }
    }
    text_append(text, "\"", 1);
}

static bool append_special(struct text *text, double number) {
    if (isnan(number)) {
        text_append(text, "NaN", 3);
    } else if (isinf(number)) {
        text_append_string(text, number < 0 ? "-Infinity" : "Infinity");
    } else {
        return false;
    }
    return true;
}

/* Writes with as few digits as read back the same; `least` and `most` significant digits. */
static void append_shortest(struct text *text, double number, int least, int most, bool single) {
    char digits[48];
    if (fabs(number) < 1e16 && number == (double)(int64_t)number) {
        if (signbit(number) && number == 0) {
            text_append(text, "-", 1);
        }
        text_append_signed(text, (int64_t)number);
        text_append(text, ".0", 2);
        return;
    }
    for (int precision = least; precision <= most; precision++) {
        c_format_double(digits, sizeof digits, precision, number);
        double back = c_parse_double(digits, NULL);
        if (single ? (float)back == (float)number : back == number) {
            break;
        }
    }
    text_append_string(text, digits);
    if (strpbrk(digits, ".e") == NULL) {
        text_append(text, ".0", 2);
    }
}

void text_append_json_double(struct text *text, double number) {
    if (!append_special(text, number)) {
        append_shortest(text, number, 15, 17, false);
    }
}

void text_append_json_float(struct text *text, float number) {
    if (!append_special(text, (double)number)) {
        append_shortest(text, (double)number, 6, 9, true);
    }
}

void text_append_json_bytes(struct text *text, const void *bytes, size_t length) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes;
    text_append_string(text, "{\"__type__\":\"base64\",\"__value__\":\"");
    char *out = text_reserve(text, (length + 2) / 3 * 4);
    for (size_t at = 0; at < length; at += 3) {
        size_t left = length - at;
        uint32_t group = (uint32_t)in[at] << 16;
        group |= left > 1 ? (uint32_t)in[at + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)in[at + 2] : 0;
        *out++ = alphabet[group >> 18 & 63];
        *out++ = alphabet[group >> 12 & 63];
        *out++ = left > 1 ? alphabet[group >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[group & 63] : '=';
    }
    text->length += (length + 2) / 3 * 4;
    text_append(text, "\"}", 2);
}
