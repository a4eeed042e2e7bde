/* What this program keeps mapped. */
#define _GNU_SOURCE
#include "clinux.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Only what is never written: a page that was relocated would come back as it is in the file. */
static int forget(struct dl_phdr_info *program, size_t size, void *unused) {
    (void)size;
    (void)unused;
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < program->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &program->dlpi_phdr[i];
        if (part->p_type != PT_LOAD || (part->p_flags & PF_W) != 0) continue;
        uintptr_t start = (program->dlpi_addr + part->p_vaddr) & ~(page - 1);
        uintptr_t end = (program->dlpi_addr + part->p_vaddr + part->p_filesz + page - 1) & ~(page - 1);
        madvise((void *)start, end - start, MADV_DONTNEED);
    }
    return 1; /* the first is the program itself */
}

void clinux_forget_code(void) { dl_iterate_phdr(forget, NULL); }
