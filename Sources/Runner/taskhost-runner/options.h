/* options - what a task asks for, checked. */
#ifndef RUNNER_OPTIONS_H
#define RUNNER_OPTIONS_H
#include "signature.h"
#include "taskhost_abi.h"
#include "text.h"

/* Honours the size of what the bundle was built with; texts are copied. NULL: all default. */
void options_copy(taskhost_options *out, const taskhost_options *options);
/* False: `fault` says which option is wrong and what it may be. typed: the signature names every argument there is. */
bool options_check(const taskhost_options *options, const struct signature *signature, bool typed, struct text *fault);
#endif
