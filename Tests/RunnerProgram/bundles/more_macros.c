/* A second file; its static names may be those of the first. */
#include <taskhost.h>
static int32_t second(void) { return 2; }
TASK_DEF(second, i32);
