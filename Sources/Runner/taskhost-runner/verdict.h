/* verdict - how a task says it ends. The first one counts; it is sent when the handler has returned. */
#ifndef RUNNER_VERDICT_H
#define RUNNER_VERDICT_H
#include "context.h"

void context_retry(task_context *task, double countdown, int max_retries, const char *reason);
void context_retry_with(task_context *task, const taskhost_retry_options *retry);
void context_replace(task_context *task, const char *signature, size_t length);
void context_reject(task_context *task, const char *reason, bool requeue);
void context_ignore(task_context *task);
void context_ignore_as(task_context *task, const char *state, const char *meta, size_t length);
#endif
