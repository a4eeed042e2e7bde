/* child - the process that runs tasks: reads a frame, runs it, sends the result, and so on.
 *
 * Between fork and task nothing is allocated and nothing is opened; what can be prepared, the zygote has prepared. */
#define _GNU_SOURCE
#include "child.h"

#include "confine.h"
#include "context.h"
#include "crash.h"
#include "frames.h"
#include "invoke.h"
#include "registry.h"
#include "soft_limit.h"
#include "submit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t own_pid;
static struct rusage usage_before;
static bool has_served;

/* Only if there is something: flushing writes into the stream, whose page a fresh child would have to copy. */
static void flush_written(FILE *stream) {
    if (__fpending(stream) > 0) {
        fflush(stream);
    }
}

static void become_child(const struct child_setup *setup) {
    own_pid = getpid();
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != setup->parent) {
        _exit(0); /* the zygote was gone before the line above */
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* so that what a task leaves behind is seen to be its */
    prctl(PR_SET_NAME, "taskhost-child");
    if (!crash_page_map(setup->page)) {
        _exit(RUNNER_EXIT_SYSTEM); /* it would be unknown whether it had begun */
    }
    dup3(setup->data, RUNNER_DATA_FD, O_CLOEXEC);
    dup2(setup->output, STDOUT_FILENO);
    dup2(setup->output, STDERR_FILENO);
    confine_child();
    close_range(RUNNER_PRIVATE_FD_BASE, ~0U, 0);
    if (setup->descriptors != NULL) {
        setrlimit(RLIMIT_NOFILE, setup->descriptors);
    }
    const sigset_t none = {0};
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static uint64_t microseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

/* Whether processes the task started are still there; those that have ended are forgotten. */
static bool has_children(void) {
    siginfo_t info;
    do {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL) != 0) {
            return errno != ECHILD;
        }
    } while (info.si_pid != 0);
    return true;
}

static bool is_too_large(const task_context *task, const struct rusage *usage) {
    uint32_t most = task->request.most_resident_kib;
    return most > 0 && usage->ru_maxrss > (long)most;
}

/* Moves the texts to the left, over header and request, so that a terminator fits behind each. */
static bool open_request(task_context *task, char *frame, uint32_t length) {
    struct task_request *request = &task->request;
    if (length < sizeof *request) {
        return false;
    }
    memcpy(request, frame + sizeof(struct frame_header), sizeof *request);
    const struct {
        int which;
        uint32_t length;
    } texts[] = {
        {TASKHOST_TEXT_ID, request->id_length},
        {TASKHOST_TEXT_ROOT_ID, request->root_id_length},
        {TASKHOST_TEXT_PARENT_ID, request->parent_id_length},
        {TASKHOST_TEXT_GROUP_ID, request->group_id_length},
        {TASKHOST_TEXT_QUEUE, request->queue_length},
        {TASKHOST_TEXT_HEADERS, request->headers_length},
        {TASKHOST_TEXT_PROPERTIES, request->properties_length},
        {TASKHOST_TEXT_BODY, request->body_length},
        {TASKHOST_TEXT_TRACEPARENT, request->traceparent_length},
        {TASKHOST_TEXT_TRACESTATE, request->tracestate_length},
    };
    enum { COUNT = sizeof texts / sizeof texts[0] };
    uint64_t total = sizeof *request;
    for (int index = 0; index < COUNT; index++) {
        total += texts[index].length;
    }
    if (total != length) {
        return false;
    }
    char *from = frame + sizeof(struct frame_header) + sizeof *request, *to = frame;
    for (int index = 0; index < COUNT; index++) {
        memmove(to, from, texts[index].length);
        to[texts[index].length] = '\0';
        bool optional = (texts[index].which >= TASKHOST_TEXT_ROOT_ID && texts[index].which <= TASKHOST_TEXT_GROUP_ID) ||
                        texts[index].which >= TASKHOST_TEXT_TRACEPARENT;
        task->texts[texts[index].which] = optional && texts[index].length == 0 ? NULL : to;
        task->lengths[texts[index].which] = texts[index].length;
        from += texts[index].length;
        to += texts[index].length + 1;
    }
    return true;
}

/* By itself: the bundle's last word first. */
static _Noreturn void leave_child(void) {
    if (registry.leave != NULL && has_served) {
        registry.leave();
        flush_written(stdout);
        flush_written(stderr);
    }
    _exit(0);
}

static void send_result(task_context *task) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    const struct result_usage header = {
        .wall_us = (uint64_t)((monotonic_seconds() - task->began) * 1e6),
        .user_us = microseconds(usage.ru_utime) - microseconds(usage_before.ru_utime),
        .system_us = microseconds(usage.ru_stime) - microseconds(usage_before.ru_stime),
        .max_rss_kib = (uint64_t)usage.ru_maxrss,
        .flags = has_children() || is_too_large(task, &usage) ? RESULT_CHILD_EXITS : 0,
    };
    usage_before = usage;
    if (sizeof header + task->value.length > RUNNER_FRAME_MAX) {
        task->over = false;
        context_fail(task, "ValueError", "builtins", "the task's result is larger than 64 MiB", NULL, NULL);
    }
    frame_send(FRAME_RESULT, (uint16_t)task->result, task->sequence, &header, sizeof header, task->value.bytes,
               task->value.length);
    bool leave = (header.flags & RESULT_CHILD_EXITS) != 0 || (task->request.flags & TASK_LAST_IN_CHILD) != 0;
    crash_page_end();
    if (leave) {
        leave_child();
    }
}

/* For libraries and programs that look for it there; of the task before nothing is left. */
static void set_trace_variables(const task_context *task) {
    const struct {
        const char *name;
        int which;
    } variables[] = {{"TRACEPARENT", TASKHOST_TEXT_TRACEPARENT}, {"TRACESTATE", TASKHOST_TEXT_TRACESTATE}};
    for (size_t index = 0; index < sizeof variables / sizeof variables[0]; index++) {
        const char *text = task->texts[variables[index].which];
        if (text != NULL) {
            setenv(variables[index].name, text, 1);
        } else if (getenv(variables[index].name) != NULL) {
            unsetenv(variables[index].name);
        }
    }
}

static void run_task(task_context *task, const struct frame_header *header, char *frame) {
    task->sequence = header->sequence;
    task->over = false;
    task->began = monotonic_seconds();
    if (!open_request(task, frame, header->length)) {
        fprintf(stderr, "taskhost-runner: the host sent a task whose lengths don't add up\n");
        _exit(EXIT_PROTOCOL);
    }
    set_trace_variables(task);
    if ((task->request.flags & TASK_LAST_IN_CHILD) != 0 && !has_served) {
        confine_processor_time(task->request.hard_limit_s);
    }
    has_served = true;
    crash_page_begin(header->sequence);
    soft_limit_begin(header->sequence);
    if (task->request.task < registry.count) {
        task->entry = registry.tasks[task->request.task];
        task->texts[TASKHOST_TEXT_NAME] = task->entry->name;
        task->lengths[TASKHOST_TEXT_NAME] = strlen(task->entry->name);
        submit_begin(task);
        invoke(task);
    } else {
        context_fail(task, "NotRegistered", "celery.exceptions", "the bundle has no task of this number", NULL, NULL);
    }
    soft_limit_end();
    submit_end();
    flush_written(stdout);
    flush_written(stderr);
    if (getpid() != own_pid) {
        _exit(0); /* the task forked, and this is the copy: it must not answer for it */
    }
    send_result(task);
    text_shrink(&task->value);
}

void child_main(const struct child_setup *setup) {
    static char room[RESULT_ROOM];
    static task_context task = {.value = TEXT_IN(room)};
    become_child(setup);
    for (;;) {
        char *frame;
        const struct frame_header header = frame_read(&frame);
        if (header.type == FRAME_EXIT) {
            leave_child();
        }
        if (header.type != FRAME_TASK) {
            fprintf(stderr, "taskhost-runner: the host sent a frame of unknown type %u\n", header.type);
            _exit(EXIT_PROTOCOL);
        }
        if (header.sequence >= setup->lowest_sequence && crash_page_claim(header.sequence)) {
            run_task(&task, &header, frame);
        }
    }
}
