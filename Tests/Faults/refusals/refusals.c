/* Tasks whose sequels a broker or a store refuses. Each appends its name to the file `path`, so that starts are counted. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <taskhost.h>
#include <unistd.h>

static void count(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, "start\n", 6) != 6) abort();
    close(file);
}

static const char *step(const char *path) {
    count(path);
    return "done";
}

static void fail(task_context *task, const char *path) {
    count(path);
    task_fail(task, "ValueError", "as asked");
}

/* Its retry waits at the broker for so many seconds. */
static void again(task_context *task, const char *path, double seconds) {
    count(path);
    taskhost_functions->retry(task, seconds, 5, "not yet");
}

/* A text of so many letters. */
static const char *blow(const char *path, int64_t length) {
    count(path);
    char *text = malloc((size_t)length + 1);
    if (text == NULL) abort();
    memset(text, 'x', (size_t)length);
    text[length] = 0;
    return text;
}

/* Sends the signature so many times; the id of the last one. */
static const char *send(task_context *task, const char *path, const char *signature, int64_t times) {
    static char id[TASKHOST_ID_SIZE];
    count(path);
    for (int64_t sent = 0; sent < times; sent++)
        if (!task_send(task, signature, id)) abort();
    return id;
}

static int64_t length(const char *text) { return (int64_t)strlen(text); }

TASK_DEF(step, str, (str, path));
TASK_DEF_CTX(fail, void, (str, path));
TASK_DEF_CTX(again, void, (str, path), (f64, seconds));
TASK_DEF(blow, str, (str, path), (i64, length));
TASK_DEF_CTX(send, str, (str, path), (str, signature), (i64, times, 1));
TASK_DEF(length, i64, (str, text));
TASKHOST_BUNDLE("refusals", "1.0");
