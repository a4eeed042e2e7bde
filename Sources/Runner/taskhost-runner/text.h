/* text - a growable byte string, and how values look as JSON. Out of memory ends the process (see text.c). */
#ifndef RUNNER_TEXT_H
#define RUNNER_TEXT_H
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *bytes; /* not terminated; NULL while empty */
    size_t length, capacity;
    bool borrowed; /* `bytes` is somebody's memory, which is used as long as it suffices */
};

/* Most results are short. */
enum { RESULT_ROOM = 256 };

/* An empty text that needs no allocation, and touches no page of the allocator, before it is longer than `room`. */
#define TEXT_IN(room) {.bytes = (room), .capacity = sizeof(room), .borrowed = true}

void text_clear(struct text *text);
/* Gives back the memory of an unusually large text; keeps the rest for reuse. */
void text_shrink(struct text *text);
void text_free(struct text *text);
/* Room for `more` bytes; returns where to write them. Does not change the length. */
char *text_reserve(struct text *text, size_t more);
void text_append(struct text *text, const void *bytes, size_t length);
void text_append_string(struct text *text, const char *string);
__attribute__((format(printf, 2, 3))) void text_append_format(struct text *text, const char *format, ...);
__attribute__((format(printf, 2, 0))) void text_append_arguments(struct text *text, const char *format,
                                                                 va_list arguments);
/* Decimal. A fresh child that would format by printf reads in half a dozen pages of libc for it. */
void text_append_signed(struct text *text, int64_t number);
void text_append_unsigned(struct text *text, uint64_t number);
/* Terminated view of the text; valid until it changes. */
const char *text_string(struct text *text);

/* A JSON string with quotes; bytes that are no UTF-8 become U+FFFD. NULL becomes null. */
void text_append_json_string(struct text *text, const char *bytes, size_t length);
/* Shortest text that reads back as the same number, always recognisable as a float: 10.0, 1e+300, NaN, -Infinity. */
void text_append_json_double(struct text *text, double number);
void text_append_json_float(struct text *text, float number);
/* {"__type__":"base64","__value__":"..."}, as Celery's JSON writes bytes. */
void text_append_json_bytes(struct text *text, const void *bytes, size_t length);

/* Ends the process with a line on stderr: there is nothing better to do in a child, and the host reports the death. */
__attribute__((noreturn)) void out_of_memory(size_t wanted);
#endif
