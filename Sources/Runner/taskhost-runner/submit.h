/* submit - what a running task sends to others. */
#ifndef RUNNER_SUBMIT_H
#define RUNNER_SUBMIT_H
#include "context.h"

/* Around a task: ids made in between follow from it. */
void submit_begin(const task_context *task);
void submit_end(void);
void submit_new_id(char id[TASKHOST_ID_SIZE]);
bool submit_send(task_context *task, const char *id, const char *signature, size_t length);
bool submit_add_to_chord(task_context *task, const char *id, const char *signature, size_t length);
bool submit_publish(task_context *task, const char *message, size_t length);
bool submit_add_children(task_context *task, const char *tuples, size_t length);
#endif
