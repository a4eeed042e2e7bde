/* tree - reaping, and killing what a dead child left behind. */
#ifndef RUNNER_TREE_H
#define RUNNER_TREE_H
#include <stdbool.h>

/* Once. False: this kernel doesn't list a process's children; then only process groups can be killed. */
bool tree_prepare(void);
/* Reaps who has died. A lane's child has its process group killed before its number becomes free. */
void tree_reap(void);
/* Kills the zygote's children that are no lane's: they were re-parented when theirs died. How many were there. */
unsigned tree_kill_strays(void);
/* Kills every child and stray and waits until all are gone, at most `seconds`. */
void tree_kill_everything(double seconds);
#endif
