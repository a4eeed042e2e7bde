/* private_fd - moving descriptors up. */
#define _GNU_SOURCE
#include "private_fd.h"

#include "runner_protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { WANTED_DESCRIPTORS = 65536 };

static struct rlimit original;
static bool raised;

bool private_fds_prepare(void) {
    if (getrlimit(RLIMIT_NOFILE, &original) != 0) {
        return false;
    }
    struct rlimit wanted = original;
    wanted.rlim_cur = original.rlim_max < WANTED_DESCRIPTORS ? original.rlim_max : WANTED_DESCRIPTORS;
    if (wanted.rlim_cur < RUNNER_PRIVATE_FD_BASE + 64) {
        errno = EMFILE;
        return false;
    }
    if (original.rlim_cur < wanted.rlim_cur) {
        raised = setrlimit(RLIMIT_NOFILE, &wanted) == 0;
    }
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0) {
        return false;
    }
    close(null);
    return true;
}

int private_fd(int fd) {
    if (fd < 0 || fd >= RUNNER_PRIVATE_FD_BASE) {
        return fd;
    }
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, RUNNER_PRIVATE_FD_BASE);
    close(fd);
    return moved;
}

const struct rlimit *original_descriptor_limit(void) {
    return raised ? &original : NULL;
}
