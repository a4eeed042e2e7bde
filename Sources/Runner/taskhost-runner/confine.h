/* confine - what the kernel shall keep a zygote and its children from. Settings come as words KEY=VALUE. */
#ifndef RUNNER_CONFINE_H
#define RUNNER_CONFINE_H
#include "text.h"

#include <stdbool.h>

/* False: it is none of ours, or its value is no value of it. */
bool confine_option(const char *word);
/* Once, before anything of the bundle runs. False: `fault` says what cannot be done, and the way out. */
bool confine_zygote(struct text *fault);
/* Around each fork: the child starts as somebody whom the kernel rather ends than the zygote when memory is short. */
void confine_before_fork(void);
void confine_after_fork(void);
/* In the child, before its first task. Ends it when something fails: nothing is left out in silence. */
void confine_child(void);
/* For a child that runs this task only. Processor time of its processes; a second line behind the host's own clock. */
void confine_processor_time(double hard_limit_s);
#endif
