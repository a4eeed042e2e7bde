/* invoke - calls the function or handler of a task; afterwards the context holds a verdict. */
#ifndef RUNNER_INVOKE_H
#define RUNNER_INVOKE_H
#include "context.h"

void invoke(task_context *task);
/* taskhost_host.bind */
const taskhost_slice *invoke_bind(task_context *task, size_t *count);
#endif
