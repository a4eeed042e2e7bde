/* PCRE2 for texts in UTF-8 (Debian: libpcre2-dev) for Swift: its own header, nothing added. */
#ifndef CPCRE2_SHIM_H
#define CPCRE2_SHIM_H
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#endif
