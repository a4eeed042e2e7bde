/* taskhost-runner - the process that loads a bundle and forks children to run its tasks. Started by taskhost. */
#include "confine.h"
#include "taskhost_abi.h"
#include "version.h"
#include "zygote.h"

#include <stdio.h>
#include <string.h>

static int usage(FILE *out, int status) {
    fprintf(out,
            "taskhost-runner " RUNNER_VERSION " - runs the tasks of one bundle; started by taskhost, not by hand.\n"
            "\n"
            "  taskhost-runner zygote FILE [NAME [KEY=VALUE…]]\n"
            "                                       load FILE (called NAME in messages), obey the control socket on\n"
            "                                       descriptor 3; KEY=VALUE: what to confine it by (confine.c)\n"
            "  taskhost-runner --version\n"
            "  taskhost-runner --help\n"
            "\n"
            "To see what a bundle contains: taskhost bundles FILE\n");
    return status;
}

int main(int argc, char **argv) {
    if (argc >= 3 && strcmp(argv[1], "zygote") == 0) {
        for (int index = 4; index < argc; index++) {
            if (!confine_option(argv[index])) {
                fprintf(stderr, "taskhost-runner: %s is nothing to confine a zygote by\n", argv[index]);
                return usage(stderr, 64);
            }
        }
        return zygote_main(argv[2], argv[argc == 3 ? 2 : 3]);
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("taskhost-runner " RUNNER_VERSION " (bundle ABI %d.%d)\n", TASKHOST_ABI_MAJOR, TASKHOST_ABI_MINOR);
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, 0);
    }
    return usage(stderr, 64);
}
