/* The journeys' own tasks, in C, against the bare ABI: each does one thing that a test can see from outside.
 * A task that takes a `path` appends lines to that file, one write each, so that order and number can be read. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <taskhost.h>
#include <time.h>
#include <unistd.h>

static const taskhost_host *host;

static void mark(const char *path, const char *word) {
    char line[512];
    int length = snprintf(line, sizeof line, "%s\n", word);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0 || length < 0 || length >= (int)sizeof line || write(file, line, (size_t)length) != length) abort();
    close(file);
}

static void pause_for(double seconds) {
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0) continue;
}

static const char *task_mark(const char *path, const char *word) {
    mark(path, word);
    return word;
}

static const char *task_echo(const char *text) { return text; }

static int64_t task_keywords(int64_t a, int64_t b, int64_t c) { return 100 * a + 10 * b + c; }

/* Marks the word, then waits until the file `gate` exists. */
static const char *task_gate(const char *path, const char *word, const char *gate) {
    mark(path, word);
    while (access(gate, F_OK) != 0) pause_for(0.005);
    char done[256];
    snprintf(done, sizeof done, "%s done", word);
    mark(path, done);
    return word;
}

static const char *task_retry_always(task_context *task, const char *path, double countdown, int64_t limit) {
    char word[64];
    snprintf(word, sizeof word, "try %.0f", host->number(task, TASKHOST_NUMBER_RETRIES));
    mark(path, word);
    host->retry(task, countdown, (int)limit, "not today");
    return "";
}

static int64_t task_retry_until(task_context *task, int64_t wanted, double countdown) {
    int64_t so_far = (int64_t)host->number(task, TASKHOST_NUMBER_RETRIES);
    if (so_far < wanted) host->retry(task, countdown, TASKHOST_UNLIMITED, "not yet");
    return so_far;
}

static int64_t task_progress(task_context *task, int64_t steps, double pause) {
    for (int64_t done = 1; done <= steps; done++) {
        char meta[96];
        int length = snprintf(meta, sizeof meta, "{\"done\": %lld, \"total\": %lld}", (long long)done, (long long)steps);
        host->update_state(task, "PROGRESS", meta, (size_t)length);
        pause_for(pause);
    }
    return steps;
}

static void task_reject(task_context *task, const char *path, bool requeue) {
    FILE *before = fopen(path, "r");
    mark(path, "run");
    if (before != NULL && requeue) {
        fclose(before); /* the second time around it succeeds */
        return;
    }
    if (before != NULL) fclose(before);
    host->reject(task, "not for me", requeue);
}

static void task_ignore(task_context *task) { host->ignore(task); }

/* Waits for the soft limit, cleans up, and says so. */
static void task_soft(task_context *task, const char *path) {
    struct pollfd stop = {.fd = host->stop_fd(task), .events = POLLIN};
    if (poll(&stop, 1, 20000) != 1 || !host->should_stop(task)) abort();
    mark(path, "cleaned up");
    host->fail(task, "SoftTimeLimitExceeded", "billiard.exceptions", "", "[]", NULL);
}

/* What a task can see of its surroundings: its environment and its open descriptors. */
static const char *task_surroundings(void) {
    static char text[65536];
    size_t used = 0;
    extern char **environ;
    for (char **entry = environ; *entry != NULL; entry++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", *entry);
    for (int descriptor = 0; descriptor < 4096; descriptor++) {
        char name[64], target[512];
        snprintf(name, sizeof name, "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(name, target, sizeof target - 1);
        if (length < 0) continue;
        target[length] = 0;
        used += (size_t)snprintf(text + used, sizeof text - used, "fd %d %s\n", descriptor, target);
    }
    return text;
}

static void task_speak(const char *out, const char *err) {
    printf("%s\n", out);
    fprintf(stderr, "%s\n", err);
}

static void task_speak_and_crash(const char *out) {
    printf("%s\n", out);
    fflush(stdout);
    *(volatile int *)8 = 1;
}

static const char *task_version(void) { return JOURNEY_VERSION; }

#define OPTIONS(...) &(const taskhost_options){.size = sizeof(taskhost_options), __VA_ARGS__}
#define TYPED(function) .function = (void (*)(void))(function)

static const taskhost_task tasks[] = {
    {.name = "journey.mark", .signature = "path:str,word:str->str", TYPED(task_mark)},
    {.name = "journey.echo", .signature = "text:str->str", TYPED(task_echo)},
    {.name = "journey.keywords", .signature = "a:i64,b:i64=5,c:i64=7->i64", TYPED(task_keywords)},
    {.name = "journey.gate", .signature = "path:str,word:str,gate:str->str", TYPED(task_gate)},
    {.name = "journey.gate_early", .signature = "path:str,word:str,gate:str->str", TYPED(task_gate),
     .options = OPTIONS(.acks_late = TASKHOST_NO)},
    {.name = "journey.tracked", .signature = "path:str,word:str,gate:str->str", TYPED(task_gate),
     .options = OPTIONS(.track_started = TASKHOST_YES)},
    {.name = "journey.retry_always", .signature = "task:context,path:str,countdown:f64,limit:i64=-2->str",
     TYPED(task_retry_always)},
    {.name = "journey.retry_until", .signature = "task:context,wanted:i64,countdown:f64->i64",
     TYPED(task_retry_until)},
    {.name = "journey.progress", .signature = "task:context,steps:i64,pause:f64->i64", TYPED(task_progress)},
    {.name = "journey.reject", .signature = "task:context,path:str,requeue:bool->void", TYPED(task_reject)},
    {.name = "journey.ignore", .signature = "task:context->void", TYPED(task_ignore)},
    {.name = "journey.soft", .signature = "task:context,path:str->void", TYPED(task_soft),
     .options = OPTIONS(.soft_limit = 0.3, .hard_limit = 10)},
    {.name = "journey.surroundings", .signature = "->str", TYPED(task_surroundings)},
    {.name = "journey.speak", .signature = "out:str,err:str->void", TYPED(task_speak)},
    {.name = "journey.speak_and_crash", .signature = "out:str->void", TYPED(task_speak_and_crash),
     .options = OPTIONS(.max_starts = 1)},
    {.name = "journey.quiet", .signature = "path:str,word:str->str", TYPED(task_mark),
     .options = OPTIONS(.ignore_result = TASKHOST_YES)},
    {.name = "journey.version", .signature = "->str", TYPED(task_version)},
};

TASKHOST_EXPORT int taskhost_bundle_v1(const taskhost_host *given) {
    host = given;
    taskhost_bundle_info info = {
        .size = sizeof info, .abi_major = TASKHOST_ABI_MAJOR, .abi_minor = TASKHOST_ABI_MINOR, .name = "journey",
        .version = JOURNEY_VERSION, .sdk = TASKHOST_SDK_VERSION " c",
    };
    int refused = host->describe(&info);
    for (size_t i = 0; refused == 0 && i < sizeof tasks / sizeof tasks[0]; i++) {
        taskhost_task task = tasks[i];
        task.size = sizeof task;
        refused = host->add(&task);
    }
    return refused;
}
