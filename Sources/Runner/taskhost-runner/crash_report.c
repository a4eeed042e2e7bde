/* crash_report - addresses to modules. */
#define _GNU_SOURCE
#include "crash_report.h"

#include "control.h"
#include "text.h"

#include <dlfcn.h>
#include <stddef.h>
#include <unistd.h>

void crash_report(uint32_t lane, int pid, int page_fd) {
    struct crash_page page;
    if (pread(page_fd, (void *)&page, sizeof page, 0) != (ssize_t)sizeof page || page.state != CRASH_FILLED) {
        return;
    }
    struct text lines = {0};
    for (uint32_t index = 0; index < page.frame_count && index < RUNNER_MAX_FRAMES; index++) {
        Dl_info found = {0};
        uint64_t address = page.frames[index];
        if (dladdr((void *)(uintptr_t)address, &found) != 0 && found.dli_fname != NULL) {
            text_append_format(&lines, "0x%llx 0x%llx %s\n", (unsigned long long)address,
                               (unsigned long long)(address - (uint64_t)(uintptr_t)found.dli_fbase), found.dli_fname);
        } else {
            text_append_format(&lines, "0x%llx 0x0 ?\n", (unsigned long long)address);
        }
    }
    control_send_text((struct control_record){.type = RUNNER_CRASH, .lane = lane, .pid = pid}, lines.bytes,
                      lines.length);
    text_free(&lines);
}

void crash_page_clear(int page_fd) {
    static const char blank[RUNNER_CRASH_PAGE - RUNNER_CRASH_TEXT_AT];
    static const uint32_t idle = CRASH_IDLE;
    ssize_t written = pwrite(page_fd, &idle, sizeof idle, offsetof(struct crash_page, state));
    written += pwrite(page_fd, blank, sizeof blank, RUNNER_CRASH_TEXT_AT);
    (void)written; /* a sealed or lost page: then the host compares the sequence */
}
