/* epoll. The kernel's event struct is packed on some machines; ours is not. */
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

_Static_assert(CLINUX_EPOLL_IN == EPOLLIN && CLINUX_EPOLL_OUT == EPOLLOUT, "epoll flags");
_Static_assert(CLINUX_EPOLL_ERR == EPOLLERR && CLINUX_EPOLL_HUP == EPOLLHUP, "epoll flags");

enum { BATCH = 128 };

int clinux_epoll_create(void) {
    int descriptor = epoll_create1(EPOLL_CLOEXEC);
    return descriptor < 0 ? -errno : descriptor;
}

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    return epoll_ctl(epoll, operation, descriptor, &event) < 0 ? -errno : 0;
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_ADD, descriptor, events, token);
}

int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token) {
    return control(epoll, EPOLL_CTL_MOD, descriptor, events, token);
}

int clinux_epoll_remove(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

static int wait_for(int epoll, struct epoll_event *events, int capacity, int64_t timeout_ns) {
    if (timeout_ns < 0) return epoll_wait(epoll, events, capacity, -1);
    if (timeout_ns == 0) return epoll_wait(epoll, events, capacity, 0);
    struct timespec timeout = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, &timeout, NULL);
    if (count >= 0 || errno != ENOSYS) return count;
    /* Before Linux 5.11: milliseconds, rounded up so that no timer fires early. */
    int64_t milliseconds = (timeout_ns + 999999) / 1000000;
    return epoll_wait(epoll, events, capacity, milliseconds > 3600000 ? 3600000 : (int)milliseconds);
}

int clinux_epoll_wait(int epoll, struct clinux_epoll_event *events, int capacity, int64_t timeout_ns) {
    struct epoll_event batch[BATCH];
    int count = wait_for(epoll, batch, capacity < BATCH ? capacity : BATCH, timeout_ns);
    if (count < 0) return -errno;
    for (int i = 0; i < count; i++) {
        events[i].token = batch[i].data.u64;
        events[i].events = batch[i].events;
    }
    return count;
}
