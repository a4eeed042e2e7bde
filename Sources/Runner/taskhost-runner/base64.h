/* base64 - RFC 4648, the standard alphabet; blanks and line ends are skipped. */
#ifndef RUNNER_BASE64_H
#define RUNNER_BASE64_H
#include <stdbool.h>
#include <stddef.h>

/* In place; the result is shorter. False: it is no base64. */
bool base64_decode(char *text, size_t *length);
#endif
