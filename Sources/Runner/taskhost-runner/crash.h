/* crash - deaths have names: the handlers that fill the lane's crash page. */
#ifndef RUNNER_CRASH_H
#define RUNNER_CRASH_H
#include "runner_protocol.h"

#include <stdbool.h>

/* In the zygote, after the bundle is loaded and before the first fork: children inherit handlers and alternate
 * stack. */
void crash_handlers_install(void);
/* While loading: reserves the descriptor for text beside the native stack (taskhost.h, crash_fd). */
int crash_text_descriptor(void);
/* In the child. False: no memory for the page. */
bool crash_page_map(int page_fd);
/* False: the host has taken this run back; it must not begin. */
bool crash_page_claim(uint64_t sequence);
void crash_page_begin(uint64_t sequence);
void crash_page_end(void);
#endif
