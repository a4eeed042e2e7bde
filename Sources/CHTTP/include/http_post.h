/* One HTTP POST over libcurl. A wrapper and nothing more: curl's calls take variadic arguments, which Swift has not.
 *
 * Any thread; waits at most `timeout_ms`. Follows no redirect, speaks http and https only. */
#ifndef TASKHOST_HTTP_POST_H
#define TASKHOST_HTTP_POST_H

#include <stddef.h>

enum { HTTP_POST_ERROR_SIZE = 256 };

/* To be called once, before other threads begin. 0: well. */
int http_post_begin(void);

/* `headers`: lines "Name: value", ended by NULL. The status of the answer, or -1 with a sentence in `error`
 * (HTTP_POST_ERROR_SIZE bytes). What the answer says is thrown away. */
long http_post(const char *url, const char *const headers[], const void *body, size_t length, long timeout_ms,
               char *error);

#endif
