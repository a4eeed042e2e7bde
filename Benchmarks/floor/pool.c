/* Reused children: each is handed a message over a socket pair and answers with one byte when it is done. */
#include "floor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define CHILDREN_MAX 255 /* each has a counter of the tally */

typedef struct {
    int socket, busy;
    work *first, **last; /* handed over, in order */
} child;

static child children[CHILDREN_MAX];
static int given; /* messages that children have */

/* Frames are a length and the body. Answers each as soon as it is done, before it looks at the next. */
__attribute__((noreturn)) static void serve(int socket, const floor_settings *settings) {
    size_t room = 1 << 16, filled = 0;
    char *buffer = malloc(room);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (buffer == NULL || !begin_tasks(settings)) _exit(1);
    for (;;) {
        ssize_t got = read(socket, buffer + filled, room - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) _exit(0);
        filled += (size_t)got;
        size_t at = 0;
        uint32_t length;
        while (filled - at >= sizeof length) {
            memcpy(&length, buffer + at, sizeof length);
            if (sizeof length + length > room) {
                room = sizeof length + length;
                if ((buffer = realloc(buffer, room)) == NULL) _exit(1);
            }
            if (filled - at < sizeof length + length) break;
            run_task(settings, buffer + at + sizeof length, length);
            write_all(socket, "d", 1);
            at += sizeof length + length;
        }
        memmove(buffer, buffer + at, filled - at);
        filled -= at;
    }
}

static void start(const floor_settings *settings, int number) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) give_up("socketpair: %m");
    pid_t pid = fork();
    if (pid < 0) give_up("fork: %m");
    if (pid == 0) {
        for (int other = 0; other < number; other++) close(children[other].socket);
        close(pair[0]);
        serve(pair[1], settings);
    }
    close(pair[1]);
    children[number] = (child){.socket = pair[0], .last = &children[number].first};
}

static void hand_over(child *to, work *one) {
    uint32_t length = (uint32_t)one->body_length;
    struct iovec parts[2] = {{&length, sizeof length}, {one->body, one->body_length}};
    if (writev(to->socket, parts, 2) != (ssize_t)(sizeof length + length)) give_up("handing a message over: %m");
    one->next = NULL;
    *to->last = one;
    to->last = &one->next;
    to->busy++;
    given++;
}

/* One message each in turn, to the child that has least. */
static void distribute(const floor_settings *settings) {
    for (;;) {
        child *least = NULL;
        for (int i = 0; i < settings->children; i++)
            if (children[i].busy < settings->in_flight && (least == NULL || children[i].busy < least->busy))
                least = &children[i];
        work *one = least == NULL ? NULL : taking_next();
        if (one == NULL) return;
        hand_over(least, one);
    }
}

static void collect(child *from) {
    char answers[256];
    ssize_t count = read(from->socket, answers, sizeof answers);
    if (count <= 0) give_up("a child of the pool died");
    for (; count > 0; count--) {
        work *done = from->first;
        from->first = done->next;
        if (from->first == NULL) from->last = &from->first;
        from->busy--;
        given--;
        settling_done(done);
    }
}

void run_pool(const floor_settings *settings) {
    if (settings->children > CHILDREN_MAX) give_up("at most %d children", CHILDREN_MAX);
    for (int i = 0; i < settings->children; i++) start(settings, i);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    settling_open(settings);
    for (int i = 0; i < settings->children; i++)
        epoll_ctl(poll, EPOLL_CTL_ADD, children[i].socket, &(struct epoll_event){.events = EPOLLIN, .data.u64 = (uint64_t)i});
    taking_open(settings, poll, CHILDREN_MAX);
    while (!taking_stopped() || given > 0) {
        if (!taking_stopped()) distribute(settings);
        struct epoll_event ready[CHILDREN_MAX + 1];
        int count = epoll_wait(poll, ready, CHILDREN_MAX + 1, 500);
        bool is_readable = false;
        for (int i = 0; i < count; i++) {
            if (ready[i].data.u64 == CHILDREN_MAX)
                is_readable = true;
            else
                collect(&children[ready[i].data.u64]);
        }
        taking_turn(is_readable);
        settling_flush();
    }
}
