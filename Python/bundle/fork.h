/* fork - what CPython does around a fork, done around those of the zygote. */
#ifndef FORK_H
#define FORK_H
void fork_prepare(void);
#endif
