/* The journeys' own tasks, in C: each does one thing that a test can see from outside.
 * A task that takes a `path` appends lines to that file, one write each, so that order and number can be read. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <taskhost.h>
#include <time.h>
#include <unistd.h>

static void append(const char *path, const char *word) {
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

static const char *mark(const char *path, const char *word, double pause) {
    append(path, word);
    pause_for(pause);
    return word;
}

/* Marks the word, takes its time, and marks that it is done. */
static const char *spell(const char *path, const char *word, double pause) {
    char done[256];
    snprintf(done, sizeof done, "%s done", word);
    append(path, word);
    pause_for(pause);
    append(path, done);
    return word;
}

static const char *echo(const char *text) { return text; }

static char *fill(int64_t bytes) {
    char *text = malloc((size_t)bytes + 1);
    if (text == NULL) abort();
    memset(text, 'x', (size_t)bytes);
    text[bytes] = 0;
    return text;
}

/* Bytes of what it is called with, as JSON. */
static int64_t weigh(const char *value) { return (int64_t)strlen(value); }

/* The same value again. */
static char *reflect(const char *value) {
    char *same = strdup(value);
    if (same == NULL) abort();
    return same;
}

/* Retries once, into another queue and with another priority. */
static const char *move_on(task_context *task, const char *queue, int64_t priority) {
    taskhost_retry_options again = TASKHOST_RETRY;
    again.countdown = 0;
    again.queue = queue;
    again.priority = (int32_t)priority;
    if (task_retries(task) == 0) task_retry_with(task, &again);
    return task_text(task, TASKHOST_TEXT_QUEUE);
}

static int64_t keywords(int64_t a, int64_t b, int64_t c) { return 100 * a + 10 * b + c; }

/* Marks the word, then waits until the gate file exists. */
static const char *gate(const char *path, const char *word, const char *gate_file) {
    append(path, word);
    while (access(gate_file, F_OK) != 0) pause_for(0.005);
    char done[256];
    snprintf(done, sizeof done, "%s done", word);
    append(path, done);
    return word;
}

static const char *solo(const char *path, const char *word, const char *gate_file) {
    return gate(path, word, gate_file);
}

/* The same, with a line of output before it waits. */
static const char *talking_gate(const char *path, const char *word, const char *gate_file) {
    printf("half way\n");
    fflush(stdout);
    return gate(path, word, gate_file);
}

static const char *gate_early(const char *path, const char *word, const char *gate_file) {
    return gate(path, word, gate_file);
}

static const char *tracked(const char *path, const char *word, const char *gate_file) {
    return gate(path, word, gate_file);
}

static const char *retry_always(task_context *task, const char *path, double countdown, int64_t limit,
                                const char *reason) {
    char word[64];
    snprintf(word, sizeof word, "try %d", task_retries(task));
    append(path, word);
    taskhost_functions->retry(task, countdown, (int)limit, reason);
    return "";
}

static int64_t retry_until(task_context *task, int64_t wanted, double countdown) {
    int64_t so_far = task_retries(task);
    if (so_far < wanted) taskhost_functions->retry(task, countdown, TASKHOST_UNLIMITED, "not yet");
    return so_far;
}

static int64_t steps_up(task_context *task, int64_t steps, double pause) {
    for (int64_t done = 1; done <= steps; done++) {
        task_progress(task, done, steps);
        pause_for(pause);
    }
    return steps;
}

static void turn_away(task_context *task, const char *path, bool requeue) {
    FILE *before = fopen(path, "r");
    append(path, "run");
    if (before != NULL && requeue) {
        fclose(before); /* the second time around it succeeds */
        return;
    }
    if (before != NULL) fclose(before);
    task_reject(task, "not for me", requeue);
}

static void spoil(task_context *task) { task_fail(task, "ValueError", "spoilt"); }

static void say_nothing(task_context *task) { task_ignore(task); }

/* Waits for the soft limit, cleans up, and says so. */
static void soft(task_context *task, const char *path) {
    struct pollfd stop = {.fd = task_stop_fd(task), .events = POLLIN};
    while (poll(&stop, 1, -1) < 0 && errno == EINTR) continue; /* the limit arrives as a signal */
    if (!task_should_stop(task)) abort();
    append(path, "cleaned up");
    task_fail_soft_limit(task);
}

static const char *quiet(const char *path, const char *word) { return mark(path, word, 0); }

/* What a task can see of its surroundings: its environment and its open descriptors. */
static const char *surroundings(void) {
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

static void speak(const char *out, const char *err) {
    printf("%s\n", out);
    fprintf(stderr, "%s\n", err);
}

__attribute__((noinline)) static void raise_at(volatile int *nowhere) { *nowhere = 1; }

static void speak_and_crash(const char *out) {
    printf("%s\n", out);
    fflush(stdout);
    raise_at(NULL);
}

static const char *version(void) { return JOURNEY_VERSION; }

/* So many MiB more resident, for good; the process that has them. */
static int64_t leak(int64_t mib) {
    size_t size = (size_t)mib << 20;
    char *memory = malloc(size);
    if (memory == NULL) abort();
    memset(memory, 1, size);
    __asm__ volatile("" : : "r"(memory) : "memory");
    return getpid();
}

/* Takes more and more, by itself or in a process it starts, and writes first who does. */
static void swell(const char *path, bool elsewhere) {
    pid_t child = elsewhere ? fork() : 0;
    if (child == 0) {
        char word[32];
        snprintf(word, sizeof word, "%d", (int)getpid());
        append(path, word);
        for (;;) {
            leak(1);
            pause_for(0.002);
        }
    }
    pause_for(600);
}

/* The run's place in its trace, as the runner tells it and as the environment does; "" where there is none. */
static const char *trace(task_context *task, const char *before) {
    static char text[512];
    const char *told = task_traceparent(task), *variable = getenv("TRACEPARENT");
    snprintf(text, sizeof text, "%s%s %s;", before, told != NULL ? told : "", variable != NULL ? variable : "");
    return text;
}

/* The notes of other systems that came with the trace, told likewise. */
static const char *trace_state(task_context *task, const char *before) {
    static char text[512];
    const char *told = taskhost_functions->text(task, TASKHOST_TEXT_TRACESTATE, NULL);
    const char *variable = getenv("TRACESTATE");
    snprintf(text, sizeof text, "%s%s %s;", before, told != NULL ? told : "", variable != NULL ? variable : "");
    return text;
}

/* Sends journey.mark, and goes on. */
static const char *sender(task_context *task, const char *path) {
    static char id[TASKHOST_ID_SIZE];
    char signature[1024];
    snprintf(signature, sizeof signature,
             "{\"task\":\"journey.mark\",\"args\":[\"%s\",\"sent\"],\"kwargs\":{},\"options\":{},"
             "\"subtask_type\":null,\"immutable\":false}",
             path);
    if (!task_send(task, signature, id)) abort();
    return id;
}

TASK_DEF_CTX(trace, str, (str, before));
TASK_DEF_CTX(trace_state, str, (str, before));
TASK_DEF_CTX(sender, str, (str, path));
TASK_DEF(leak, i64, (i64, mib));
TASK_DEF(swell, void, (str, path), (bool, elsewhere));
TASK_OPTIONS(swell, .memory_limit = 96);
TASK_DEF(mark, str, (str, path), (str, word), (f64, pause, 0.0));
TASK_DEF(spell, str, (str, path), (str, word), (f64, pause));
TASK_DEF(echo, str, (str, text));
TASK_DEF(fill, str_owned, (i64, bytes));
TASK_DEF(weigh, i64, (json, value));
TASK_DEF(reflect, json_owned, (json, value));
TASK_DEF_CTX(move_on, str, (str, queue), (i64, priority));
TASK_DEF(keywords, i64, (i64, a), (i64, b, 5), (i64, c, 7));
TASK_DEF(gate, str, (str, path), (str, word), (str, gate));
TASK_DEF(solo, str, (str, path), (str, word), (str, gate));
TASK_OPTIONS(solo, .max_concurrent = 1, .limit_scope = "global", .limit_key = "word");
TASK_DEF(talking_gate, str, (str, path), (str, word), (str, gate));
TASK_DEF(gate_early, str, (str, path), (str, word), (str, gate));
TASK_OPTIONS(gate_early, .acks_late = TASKHOST_NO);
TASK_DEF(tracked, str, (str, path), (str, word), (str, gate));
TASK_OPTIONS(tracked, .track_started = TASKHOST_YES);
TASK_DEF_CTX(retry_always, str, (str, path), (f64, countdown), (i64, limit, -2), (str, reason, null));
TASK_DEF_CTX(retry_until, i64, (i64, wanted), (f64, countdown));
TASK_DEF_CTX(steps_up, i64, (i64, steps), (f64, pause));
TASK_OPTIONS(steps_up, .name = "journey.progress");
TASK_DEF_CTX(turn_away, void, (str, path), (bool, requeue));
TASK_OPTIONS(turn_away, .name = "journey.reject");
TASK_DEF_CTX(spoil, void);
TASK_OPTIONS(spoil, .acks_on_failure = TASKHOST_NO);
TASK_DEF_CTX(say_nothing, void);
TASK_OPTIONS(say_nothing, .name = "journey.ignore");
TASK_DEF_CTX(soft, void, (str, path));
TASK_OPTIONS(soft, .soft_limit = 0.3, .hard_limit = 10);
TASK_DEF(surroundings, str);
TASK_DEF(speak, void, (str, out), (str, err));
TASK_DEF(speak_and_crash, void, (str, out));
TASK_OPTIONS(speak_and_crash, .max_starts = 1);
TASK_DEF(quiet, str, (str, path), (str, word));
TASK_OPTIONS(quiet, .ignore_result = TASKHOST_YES);
TASK_DEF(version, str);
TASKHOST_BUNDLE("journey", JOURNEY_VERSION);
