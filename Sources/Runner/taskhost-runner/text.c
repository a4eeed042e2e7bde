/* text - a growable byte string. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_CAPACITY = 256 << 10 };

void out_of_memory(size_t wanted) {
    fprintf(stderr, "taskhost-runner: out of memory: %zu bytes wanted\n", wanted);
    abort();
}

void text_clear(struct text *text) {
    text->length = 0;
}

void text_shrink(struct text *text) {
    if (text->capacity > KEPT_CAPACITY) {
        text_free(text);
    }
    text->length = 0;
}

void text_free(struct text *text) {
    if (!text->borrowed) {
        free(text->bytes);
    }
    *text = (struct text){0};
}

char *text_reserve(struct text *text, size_t more) {
    if (text->capacity - text->length < more) {
        size_t capacity = text->capacity ? text->capacity : 512;
        while (capacity - text->length < more) {
            capacity *= 2;
        }
        char *bytes = realloc(text->borrowed ? NULL : text->bytes, capacity);
        if (bytes == NULL) {
            out_of_memory(capacity);
        }
        if (text->borrowed) {
            memcpy(bytes, text->bytes, text->length);
            text->borrowed = false;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    return text->bytes + text->length;
}

void text_append(struct text *text, const void *bytes, size_t length) {
    if (length > 0) {
        memcpy(text_reserve(text, length), bytes, length);
        text->length += length;
    }
}

void text_append_string(struct text *text, const char *string) {
    text_append(text, string, strlen(string));
}

void text_append_unsigned(struct text *text, uint64_t number) {
    char digits[20], *at = digits + sizeof digits;
    do {
        *--at = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_append(text, at, (size_t)(digits + sizeof digits - at));
}

void text_append_signed(struct text *text, int64_t number) {
    if (number < 0) {
        text_append(text, "-", 1);
    }
    text_append_unsigned(text, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

void text_append_arguments(struct text *text, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length > 0) {
        vsnprintf(text_reserve(text, (size_t)length + 1), (size_t)length + 1, format, arguments);
        text->length += (size_t)length;
    }
}

void text_append_format(struct text *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_append_arguments(text, format, arguments);
    va_end(arguments);
}

const char *text_string(struct text *text) {
    *text_reserve(text, 1) = '\0';
    return text->bytes;
}
