/* json_plain - ASCII that means itself within a JSON string, found by 32 bytes at a time. */
#ifndef RUNNER_JSON_PLAIN_H
#define RUNNER_JSON_PLAIN_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The high bit of each byte is set if all eight are plain; if not, at least one is clear. (Below 0x80 no addition carries
 * into the next byte, and a byte from 0x80 on clears its own bit.) */
static inline uint64_t json_plain_bits(const char *at) {
    const uint64_t low = 0x7f7f7f7f7f7f7f7f;
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return ~word & (word + 0x6060606060606060) & ((word ^ 0x2222222222222222) + low) &
           ((word ^ 0x5c5c5c5c5c5c5c5c) + low);
}

/* Bytes from `at` on that are neither quote, backslash nor control character, and below 0x80. */
static inline size_t json_plain_length(const char *at, const char *end) {
    const uint64_t high = 0x8080808080808080;
    const char *start = at;
    while (end - at >= 32 && (json_plain_bits(at) & json_plain_bits(at + 8) & json_plain_bits(at + 16) &
                              json_plain_bits(at + 24) & high) == high) {
        at += 32;
    }
    while (at < end && (unsigned char)*at >= 0x20 && (unsigned char)*at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return (size_t)(at - start);
}
#endif
