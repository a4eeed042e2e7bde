/* elf_check - is this a shared library for this machine, and whole? Loading a truncated one would be a crash. */
#ifndef RUNNER_ELF_CHECK_H
#define RUNNER_ELF_CHECK_H
#include "text.h"

/* False: `fault` goes on the sentence that begins with the file's name: "is …: fix". */
bool elf_check(const char *path, struct text *fault);
#endif
