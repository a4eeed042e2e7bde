/* elf_check - the headers only. */
#include "elf_check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { OUR_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { OUR_MACHINE = EM_AARCH64 };
#endif

static const char *machine_name(unsigned machine) {
    switch (machine) {
    case EM_X86_64: return "x86-64";
    case EM_AARCH64: return "aarch64";
    case EM_386: return "32-bit x86";
    case EM_ARM: return "32-bit ARM";
    case EM_RISCV: return "RISC-V";
    default: return "another machine";
    }
}

static bool check_header(const ElfW(Ehdr) *header, size_t length, struct text *fault) {
    if (length < SELFMAG || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) {
        text_append_string(fault, "is no shared library (no ELF file): build it with cc -shared -fPIC");
        return false;
    }
    if (length < sizeof *header) {
        text_append_string(fault, "is truncated: copy it again, under another name, then rename it");
        return false;
    }
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != OUR_MACHINE) {
        text_append_format(fault, "is built for %s, this machine is %s: build it here", machine_name(header->e_machine),
                           machine_name(OUR_MACHINE));
        return false;
    }
    if (header->e_type != ET_DYN) {
        text_append_format(fault, "is %s, no shared library: build it with cc -shared -fPIC",
                           header->e_type == ET_REL ? "an object file" : "a program");
        return false;
    }
    return true;
}

static bool check_segments(int fd, const ElfW(Ehdr) *header, uint64_t size, struct text *fault) {
    for (unsigned index = 0; index < header->e_phnum; index++) {
        ElfW(Phdr) segment;
        off_t at = (off_t)(header->e_phoff + (uint64_t)index * header->e_phentsize);
        bool readable = pread(fd, &segment, sizeof segment, at) == (ssize_t)sizeof segment;
        if (!readable || (segment.p_type == PT_LOAD && segment.p_offset + segment.p_filesz > size)) {
            text_append_format(fault, "is truncated (%llu bytes): copy it again, under another name, then rename it",
                               (unsigned long long)size);
            return false;
        }
    }
    return true;
}

bool elf_check(const char *path, struct text *fault) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        text_append_format(fault, "cannot be read (%s): check that it exists and that taskhost's user may read it",
                           strerror(errno));
        return false;
    }
    struct stat status;
    ElfW(Ehdr) header = {0};
    ssize_t length = pread(fd, &header, sizeof header, 0);
    bool fine = false;
    if (length < 0 || fstat(fd, &status) != 0) {
        text_append_format(fault, "cannot be read (%s): is it a regular file?", strerror(errno));
    } else {
        fine = check_header(&header, (size_t)length, fault) &&
               check_segments(fd, &header, (uint64_t)status.st_size, fault);
    }
    close(fd);
    return fine;
}
