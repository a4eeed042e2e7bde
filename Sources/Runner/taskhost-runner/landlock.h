/* landlock - a task's own domain: whom it may signal, where it may write. */
#ifndef RUNNER_LANDLOCK_H
#define RUNNER_LANDLOCK_H
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* The rules, made once. own_signals_only: processes outside the domain cannot be signalled (left out where the kernel
 * cannot, before Linux 6.12). folders: the only ones below which files may be written, beside /dev; count 0: no matter.
 * *ruleset: -1 when there is nothing to restrict. False: `fault` says why the folders cannot be enforced. */
bool landlock_prepare(bool own_signals_only, const char *const *folders, size_t count, int *ruleset,
                      struct text *fault);
/* From now on this process and whatever it starts can signal no other process; nothing happens before Linux 6.12. False: the
 * kernel refuses; errno says why. */
bool landlock_scope_signals(void);
/* This process and whatever it starts, for ever. */
bool landlock_enter(int ruleset);
#endif
