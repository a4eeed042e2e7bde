/* lanes - a table small enough to be searched from the front. */
#define _GNU_SOURCE
#include "lanes.h"

#include "child.h"
#include "confine.h"
#include "context.h"
#include "control.h"
#include "crash_report.h"
#include "private_fd.h"
#include "text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct lane *lanes;
size_t lane_count;
static size_t lane_capacity;

struct lane *lane_numbered(uint32_t number) {
    for (size_t index = 0; index < lane_count; index++) {
        if (lanes[index].number == number && !lanes[index].closing) {
            return &lanes[index];
        }
    }
    return NULL;
}

struct lane *lane_of_child(int pid) {
    for (size_t index = 0; index < lane_count; index++) {
        if (lanes[index].state == LANE_SERVING && lanes[index].pid == pid) {
            return &lanes[index];
        }
    }
    return NULL;
}

void lane_open(uint32_t number, int data, int output, int page) {
    if (lane_count == lane_capacity) {
        lane_capacity = lane_capacity ? lane_capacity * 2 : 16;
        lanes = realloc(lanes, lane_capacity * sizeof *lanes);
        if (lanes == NULL) {
            out_of_memory(lane_capacity * sizeof *lanes);
        }
    }
    lanes[lane_count++] = (struct lane){.number = number, .data = data, .output = output, .page = page};
}

static void remove_lane(struct lane *lane) {
    close(lane->page);
    *lane = lanes[--lane_count];
}

void lane_close(struct lane *lane) {
    close(lane->data);
    close(lane->output);
    lane->data = lane->output = -1;
    lane->closing = true;
    if (lane->state == LANE_SERVING) {
        lane_kill(lane);
    } else if (lane->state == LANE_EMPTY) {
        remove_lane(lane);
    }
}

int lane_fork(struct lane *lane, uint64_t lowest_sequence) {
    if (lane->state != LANE_EMPTY) {
        return EBUSY;
    }
    if (lane->page_used) {
        crash_page_clear(lane->page);
        lane->page_used = false;
    }
    const struct child_setup setup = {
        .parent = getpid(),
        .data = lane->data,
        .output = lane->output,
        .page = lane->page,
        .lowest_sequence = lowest_sequence,
        .descriptors = original_descriptor_limit(),
    };
    confine_before_fork();
    pid_t pid = fork();
    if (pid == 0) {
        child_main(&setup);
    }
    const int error = errno;
    confine_after_fork();
    if (pid < 0) {
        return error;
    }
    lane->state = LANE_SERVING;
    lane->pid = pid;
    lane->swept = 0;
    lane->complained = false;
    return 0;
}

void lane_kill(const struct lane *lane) {
    if (lane->state == LANE_SERVING) {
        kill(-lane->pid, SIGKILL); /* no group yet, before the child's setsid */
        kill(lane->pid, SIGKILL);
    }
}

void lane_ended(struct lane *lane, int status, const struct rusage *usage) {
    lane->state = LANE_ENDED;
    lane->status = status;
    lane->usage = *usage;
    lane->ended_at = monotonic_seconds();
}

static uint64_t microseconds(struct timeval time) {
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void report_ended(struct lane *lane) {
    if (!WIFEXITED(lane->status) || WEXITSTATUS(lane->status) != 0) {
        crash_report(lane->number, lane->pid, lane->page);
        lane->page_used = true;
    }
    control_send((struct control_record){
        .type = RUNNER_EXITED,
        .lane = lane->number,
        .pid = lane->pid,
        .status = lane->status,
        .user_us = microseconds(lane->usage.ru_utime),
        .system_us = microseconds(lane->usage.ru_stime),
        .max_rss_kib = (uint64_t)lane->usage.ru_maxrss,
        .swept = lane->swept,
    });
    lane->state = LANE_EMPTY;
    lane->pid = 0;
}

void lanes_report_ended(void) {
    for (size_t index = lane_count; index-- > 0;) {
        if (lanes[index].state == LANE_ENDED) {
            report_ended(&lanes[index]);
            if (lanes[index].closing) {
                remove_lane(&lanes[index]);
            }
        }
    }
}

bool lanes_any(enum lane_state state) {
    for (size_t index = 0; index < lane_count; index++) {
        if (lanes[index].state == state) {
            return true;
        }
    }
    return false;
}
