/* child - the process that runs tasks. */
#ifndef RUNNER_CHILD_H
#define RUNNER_CHILD_H
#include <signal.h>
#include <stdint.h>
#include <sys/resource.h>

/* What the zygote leaves to a child it has just forked. */
struct child_setup {
    int parent;              /* the zygote's pid */
    int data, output, page;  /* the lane's descriptors, all at or above RUNNER_PRIVATE_FD_BASE */
    uint64_t lowest_sequence;
    const struct rlimit *descriptors; /* NULL: leave as it is */
};

/* Called in the new process; serves its lane and never returns. */
__attribute__((noreturn)) void child_main(const struct child_setup *setup);
#endif
