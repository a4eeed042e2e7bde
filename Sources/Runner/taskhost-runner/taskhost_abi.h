/* The bundle ABI without the macros meant for bundles. */
#ifndef RUNNER_TASKHOST_ABI_H
#define RUNNER_TASKHOST_ABI_H
/* The macros would declare the bundle's side of things here. */
#define TASKHOST_MACROS_H
#include "taskhost.h"
#endif
