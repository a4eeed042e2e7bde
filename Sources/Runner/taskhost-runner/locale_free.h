/* Numbers as text with a point for the decimal point, whatever locale the bundle has set. */
#ifndef RUNNER_LOCALE_FREE_H
#define RUNNER_LOCALE_FREE_H
#include <stddef.h>

/* Once, before the first use. */
void c_locale_prepare(void);
/* As strtod in the C locale. */
double c_parse_double(const char *text, char **end);
/* As snprintf("%.*g") in the C locale. */
void c_format_double(char *out, size_t size, int precision, double number);
#endif
