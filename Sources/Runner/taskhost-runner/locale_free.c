/* Numbers as text in the C locale. */
#define _GNU_SOURCE
#include "locale_free.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

static locale_t c_locale;

void c_locale_prepare(void) {
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

double c_parse_double(const char *text, char **end) {
    return strtod_l(text, end, c_locale);
}

void c_format_double(char *out, size_t size, int precision, double number) {
    locale_t before = uselocale(c_locale);
    snprintf(out, size, "%.*g", precision, number);
    uselocale(before);
}
