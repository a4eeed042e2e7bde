/* load - from a file to a registry, or to the sentence that says why not. */
#ifndef RUNNER_LOAD_H
#define RUNNER_LOAD_H
#include <stdbool.h>

/* Sends RUNNER_LOADING before and RUNNER_REFUSED (false) or the manifest and RUNNER_READY (true) after.
 * path: what is loaded; shown_path: the path for messages. */
bool load_bundle(const char *path, const char *shown_path);
#endif
