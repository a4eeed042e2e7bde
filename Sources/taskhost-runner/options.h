/* options - what a task asks for, checked. */
#ifndef RUNNER_OPTIONS_H
#define RUNNER_OPTIONS_H
#include "taskhost_abi.h"
#include "text.h"

/* Honours the size of what the bundle was built with; texts are copied. NULL: all default. */
void options_copy(taskhost_options *out, const taskhost_options *options);
/* False: `fault` says which option is wrong and what it may be. */
bool options_check(const taskhost_options *options, struct text *fault);
#endif
