/* base64 - decoding in place. */
#include "base64.h"

#include <stdint.h>

static int digit(char byte) {
    if (byte >= 'A' && byte <= 'Z') {
        return byte - 'A';
    }
    if (byte >= 'a' && byte <= 'z') {
        return byte - 'a' + 26;
    }
    if (byte >= '0' && byte <= '9') {
        return byte - '0' + 52;
    }
    return byte == '+' ? 62 : byte == '/' ? 63 : -1;
}

bool base64_decode(char *text, size_t *length) {
    uint32_t group = 0;
    unsigned digits = 0, padding = 0;
    size_t out = 0;
    for (size_t at = 0; at < *length; at++) {
        char byte = text[at];
        if (byte == ' ' || byte == '\n' || byte == '\r') {
            continue;
        }
        int value = digit(byte);
        if (byte == '=') {
            padding++;
            continue;
        }
        if (value < 0 || padding > 0) {
            return false;
        }
        group = group << 6 | (uint32_t)value;
        if (++digits % 4 == 0) {
            text[out++] = (char)(group >> 16);
            text[out++] = (char)(group >> 8);
            text[out++] = (char)group;
        }
    }
    unsigned left = digits % 4;
    if (left == 1 || padding != (left == 0 ? 0 : 4 - left)) {
        return false;
    }
    if (left >= 2) {
        text[out++] = (char)(group >> (left == 2 ? 4 : 10));
    }
    if (left == 3) {
        text[out++] = (char)(group >> 2);
    }
    *length = out;
    return true;
}
