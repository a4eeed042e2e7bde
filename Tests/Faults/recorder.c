/* recorder.work: notes its start and its end in a file, one O_APPEND write each, so that every run is seen even when
 * it is killed: "S key pid parent nanoseconds" and "E key pid parent nanoseconds" (CLOCK_MONOTONIC). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <taskhost.h>
#include <time.h>
#include <unistd.h>

static void record(const char *path, char what, const char *key) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char line[256];
    int length = snprintf(line, sizeof line, "%c %s %d %d %lld\n", what, key, (int)getpid(), (int)getppid(),
                          (long long)now.tv_sec * 1000000000LL + now.tv_nsec);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || length < 0 || length >= (int)sizeof line || write(file, line, (size_t)length) != length) abort();
    close(file);
}

static const char *work(const char *path, const char *key, int64_t milliseconds) {
    record(path, 'S', key);
    struct timespec left = {milliseconds / 1000, (milliseconds % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0) continue;
    record(path, 'E', key);
    return key;
}

TASK_DEF(work, str, (str, path), (str, key), (i64, milliseconds));
/* Kills are the test's doing, not the task's: it must not be taken for poison. */
TASK_OPTIONS(work, .max_starts = 1000);
TASKHOST_BUNDLE("recorder", "1.0.0");
