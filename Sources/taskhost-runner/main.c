/* taskhost-runner - the process that loads a bundle and forks children to run its tasks. Started by taskhost. */
#include "taskhost_abi.h"
#include "version.h"
#include "zygote.h"

#include <stdio.h>
#include <string.h>

static int usage(FILE *out, int status) {
    fprintf(out,
            "taskhost-runner " RUNNER_VERSION " - runs the tasks of one bundle; started by taskhost, not by hand.\n"
            "\n"
            "  taskhost-runner zygote FILE [NAME]   load FILE (called NAME in messages), obey the control socket on\n"
            "                                       descriptor 3\n"
            "  taskhost-runner --version\n"
            "  taskhost-runner --help\n"
            "\n"
            "To see what a bundle contains: taskhost bundles FILE\n");
    return status;
}

int main(int argc, char **argv) {
    if ((argc == 3 || argc == 4) && strcmp(argv[1], "zygote") == 0) {
        return zygote_main(argv[2], argv[argc - 1]);
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
