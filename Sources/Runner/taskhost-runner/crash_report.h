/* crash_report - the zygote reads a dead child's crash page. */
#ifndef RUNNER_CRASH_REPORT_H
#define RUNNER_CRASH_REPORT_H
#include <stdint.h>

/* Sends RUNNER_CRASH if the page is filled: a line "ADDRESS OFFSET MODULE" per frame, numbers in hexadecimal with 0x.
 * The child had the zygote's address layout, so its addresses mean here what they meant there. */
void crash_report(uint32_t lane, int pid, int page_fd);
/* For the next child of the lane. */
void crash_page_clear(int page_fd);
#endif
