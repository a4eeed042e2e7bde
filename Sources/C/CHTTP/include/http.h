/* One HTTP exchange over libcurl. A wrapper and nothing more: curl's calls take variadic arguments, which Swift has not.
 *
 * Any thread; waits at most `timeout_ms`. Follows no redirect, speaks http and https only. Each returns the status of
 * the answer, or -1 with a sentence in `error` (HTTP_ERROR_SIZE bytes). */
#ifndef TASKHOST_HTTP_H
#define TASKHOST_HTTP_H

#include <stddef.h>
#include <stdint.h>

enum { HTTP_ERROR_SIZE = 256 };

/* Loads libcurl; the others do so themselves. 0: well. -1: it cannot be used, and nothing can be sent. */
int http_begin(void);

/* `headers`: lines "Name: value", ended by NULL. What the answer says is thrown away. */
long http_post(const char *url, const char *const headers[], const void *body, size_t length, long timeout_ms,
               char *error);

/* User and password may be in the address. `answer` has room for `room` bytes; `length` becomes their number. A longer
 * answer is a failure. `date`: when the answer was made by the server's clock, in seconds since 1970; -1: it does not
 * say so. */
long http_get(const char *url, long timeout_ms, char *answer, size_t room, size_t *length, int64_t *date, char *error);

#endif
