/* arenas - memory of Python's objects in huge pages, as far as the zygote allocates it. */
#ifndef ARENAS_H
#define ARENAS_H
/* Before the interpreter starts. */
void arenas_prepare(void);
/* From now on what is allocated belongs to a child. */
void arenas_are_made(void);
#endif
