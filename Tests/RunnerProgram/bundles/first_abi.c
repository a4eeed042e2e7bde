/* A bundle as compiled against the header of ABI 1.0: its structs end where they ended then. */
#define TASKHOST_MACROS_H
#include <taskhost.h>

static const taskhost_host *host;

static void twice(task_context *task, void *user) {
    (void)user;
    const char *id = host->text(task, TASKHOST_TEXT_ID, NULL);
    host->log(task, TASKHOST_INFO, id, 2);
    host->succeed(task, "[1, 0]", 6);
}

int taskhost_bundle_v1(const taskhost_host *given) {
    static const taskhost_bundle_info info = {sizeof info, 1, 0, "first", "1.0.0", "1.0.0 c"};
    /* What stands where the later fields are is not the host's to read. */
    static const taskhost_options options = {
        .size = offsetof(taskhost_options, takes_failure), .keep = 3, .takes_failure = 77};
    static const taskhost_task task = {sizeof task, 0, "twice", "", NULL, twice, NULL, &options};
    host = given;
    return host->describe(&info) ? 1 : host->add(&task);
}
