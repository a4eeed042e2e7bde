/* private_fd - the zygote's own descriptors stand at RUNNER_PRIVATE_FD_BASE and above, out of the way of the bundle's;
 * a child closes them all in one call. */
#ifndef RUNNER_PRIVATE_FD_H
#define RUNNER_PRIVATE_FD_H
#include <stdbool.h>
#include <sys/resource.h>

/* Raises the soft limit of descriptors so that private ones fit, and makes stdin /dev/null, which children inherit.
 * False: the hard limit is too low; errno is set. */
bool private_fds_prepare(void);
/* Moves the descriptor there, close-on-exec; the new number, -1 if none is left. -1 stays -1. */
int private_fd(int fd);
/* What RLIMIT_NOFILE was before; NULL if it was not changed. */
const struct rlimit *original_descriptor_limit(void);
#endif
