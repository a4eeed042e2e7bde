/* host_module - `_taskhost`, the module by which taskhost_celery speaks to the host. */
#ifndef HOST_MODULE_H
#define HOST_MODULE_H
#include "python_api.h"

#include <taskhost.h>

extern const taskhost_host *host;
/* The task being run; NULL between tasks. */
extern task_context *current_task;

/* False: a Python exception is set. */
bool host_module_make(void);
#endif
