/* The command line as the kernel gave it. */
#define _GNU_SOURCE
#include "clinux.h"

static int given_count;
static char **given;

/* The C library hands constructors what it hands to main. Looking for the arguments beside `environ`, as others do, fails
 * once a preloaded library has called setenv: the variables lie elsewhere then. */
__attribute__((constructor)) static void remember(int argc, char **argv) {
    given_count = argc;
    given = argv;
}

int clinux_argument_count(void) { return given_count; }

char *clinux_argument(int index) { return index >= 0 && index < given_count && given ? given[index] : NULL; }
