/* A task that kills the worker which runs it, as a task that eats all memory may. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <taskhost.h>
#include <unistd.h>

static void append(const char *path, const char *word) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || write(file, word, strlen(word)) < 0) abort();
    close(file);
}

/* Its parent is the zygote, whose parent is the host. */
static pid_t host(void) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)getppid());
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (count <= 0) abort();
    text[count] = 0;
    int parent = 0;
    const char *rest = strrchr(text, ')');
    if (!rest || sscanf(rest, ") %*c %d", &parent) != 1 || parent <= 1) abort();
    close(file);
    return parent;
}

static void kill_host(const char *path, double delay) {
    append(path, "killer\n");
    if (delay > 0) usleep((useconds_t)(delay * 1e6));
    if (kill(host(), SIGKILL) != 0) abort();
    pause();
}
TASK_DEF(kill_host, void, (str, path), (f64, delay, 0));
TASK_OPTIONS(kill_host, .name = "hostkiller.kill", .doc = "Marks that it began, then kills the worker.");

TASKHOST_BUNDLE("hostkiller", "1.0");
