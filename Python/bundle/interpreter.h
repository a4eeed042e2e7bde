/* interpreter - starting CPython as the executable of a virtual environment would. */
#ifndef INTERPRETER_H
#define INTERPRETER_H
/* Reads TASKHOST_PYTHON_LIBRARY, TASKHOST_PYTHON_EXECUTABLE and TASKHOST_PYTHON_PATH. NULL, or why not. */
const char *interpreter_start(void);
#endif
