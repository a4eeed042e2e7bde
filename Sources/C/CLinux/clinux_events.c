/* eventfd, timerfd, signals, inotify, clocks. */
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

_Static_assert(CLINUX_IN_MODIFY == IN_MODIFY && CLINUX_IN_ATTRIB == IN_ATTRIB, "inotify flags");
_Static_assert(CLINUX_IN_CLOSE_WRITE == IN_CLOSE_WRITE && CLINUX_IN_MOVED_FROM == IN_MOVED_FROM, "inotify flags");
_Static_assert(CLINUX_IN_MOVED_TO == IN_MOVED_TO && CLINUX_IN_CREATE == IN_CREATE, "inotify flags");
_Static_assert(CLINUX_IN_DELETE == IN_DELETE && CLINUX_IN_DELETE_SELF == IN_DELETE_SELF, "inotify flags");
_Static_assert(CLINUX_IN_MOVE_SELF == IN_MOVE_SELF && CLINUX_IN_Q_OVERFLOW == IN_Q_OVERFLOW, "inotify flags");
_Static_assert(CLINUX_IN_IGNORED == IN_IGNORED, "inotify flags");

static int drain(int descriptor) {
    uint64_t value;
    ssize_t got = read(descriptor, &value, sizeof value);
    if (got >= 0 || errno == EAGAIN) return 0;
    return -errno;
}

int clinux_eventfd(void) {
    int descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int clinux_eventfd_signal(int descriptor) {
    uint64_t one = 1;
    ssize_t written;
    do written = write(descriptor, &one, sizeof one);
    while (written < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the waiter will wake. */
    return written < 0 && errno != EAGAIN ? -errno : 0;
}

int clinux_eventfd_drain(int descriptor) { return drain(descriptor); }

int clinux_timerfd(void) {
    int descriptor = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int clinux_timerfd_set(int descriptor, uint64_t monotonic_ns) {
    struct itimerspec when = {0};
    when.it_value.tv_sec = (time_t)(monotonic_ns / 1000000000u);
    when.it_value.tv_nsec = (long)(monotonic_ns % 1000000000u);
    return timerfd_settime(descriptor, TFD_TIMER_ABSTIME, &when, NULL) < 0 ? -errno : 0;
}

int clinux_timerfd_drain(int descriptor) { return drain(descriptor); }

static void fill(sigset_t *set, const int *signals, int count) {
    sigemptyset(set);
    for (int i = 0; i < count; i++) sigaddset(set, signals[i]);
}

int clinux_signalfd(const int *signals, int count) {
    sigset_t set;
    fill(&set, signals, count);
    int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure) return -failure;
    int descriptor = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int clinux_signalfd_read(int descriptor, struct clinux_signal *signal) {
    struct signalfd_siginfo info;
    ssize_t got = read(descriptor, &info, sizeof info);
    if (got < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    if (got != (ssize_t)sizeof info) return -EIO;
    signal->number = (int32_t)info.ssi_signo;
    signal->pid = (int32_t)info.ssi_pid;
    signal->uid = info.ssi_uid;
    signal->status = info.ssi_status;
    return 1;
}

int clinux_unblock_signals(const int *signals, int count) {
    sigset_t set;
    fill(&set, signals, count);
    return -pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

int clinux_ignore_signal(int number) { return signal(number, SIG_IGN) == SIG_ERR ? -errno : 0; }

int clinux_sigrtmin(void) { return SIGRTMIN; }

const char *clinux_signal_name(int number) { return sigabbrev_np(number); }

int clinux_inotify(void) {
    int descriptor = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return descriptor < 0 ? -errno : descriptor;
}

int clinux_inotify_add(int descriptor, const char *path, uint32_t mask) {
    int watch = inotify_add_watch(descriptor, path, mask);
    return watch < 0 ? -errno : watch;
}

int clinux_inotify_remove(int descriptor, int watch) { return inotify_rm_watch(descriptor, watch) < 0 ? -errno : 0; }

bool clinux_inotify_next(const void *buffer, size_t length, size_t *offset, struct clinux_inotify_event *event) {
    struct inotify_event header;
    if (*offset > length || length - *offset < sizeof header) return false;
    const char *start = (const char *)buffer + *offset;
    memcpy(&header, start, sizeof header);
    if (length - *offset - sizeof header < header.len) return false;
    event->watch = header.wd;
    event->mask = header.mask;
    event->name = header.len > 0 ? start + sizeof header : "";
    *offset += sizeof header + header.len;
    return true;
}

uint64_t clinux_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int64_t clinux_realtime_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
