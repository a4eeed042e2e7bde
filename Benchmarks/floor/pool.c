/* Reused children: each is handed a message over a socket pair and answers with one byte when it is done. */
#include "floor.h"
#include "tally.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define CHILDREN_MAX 64

typedef struct {
    int socket, busy;
    work *first, **last; /* handed over, in order */
} child;

static child children[CHILDREN_MAX];

void write_all(int descriptor, const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(descriptor, at, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) _exit(1);
        at += written;
        length -= (size_t)written;
    }
}

/* Frames are a length and the body. Answers each as soon as it is done, before it looks at the next. */
__attribute__((noreturn)) static void serve(int socket, const char *tally) {
    static char buffer[1 << 16];
    size_t filled = 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!tally_take(tally)) _exit(1);
    for (;;) {
        ssize_t got = read(socket, buffer + filled, sizeof buffer - filled);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) _exit(0);
        filled += (size_t)got;
        size_t at = 0;
        uint32_t length;
        while (filled - at >= sizeof length) {
            memcpy(&length, buffer + at, sizeof length);
            if (sizeof length + length > sizeof buffer) _exit(1); /* no message of a benchmark is so large */
            if (filled - at < sizeof length + length) break;
            tally_done();
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
        serve(pair[1], settings->tally);
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
}

/* One message each in turn, to whoever has least. */
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
        settling_done(done);
    }
}

void run_pool(const floor_settings *settings) {
    if (settings->children > CHILDREN_MAX) give_up("at most %d children", CHILDREN_MAX);
    for (int i = 0; i < settings->children; i++) start(settings, i);
    int poll = epoll_create1(EPOLL_CLOEXEC), broker = taking_open(settings);
    settling_open(settings);
    epoll_ctl(poll, EPOLL_CTL_ADD, broker, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    for (int i = 0; i < settings->children; i++)
        epoll_ctl(poll, EPOLL_CTL_ADD, children[i].socket,
                  &(struct epoll_event){.events = EPOLLIN, .data.ptr = &children[i]});
    taking_pump();
    while (!taking_stopped()) {
        distribute(settings);
        struct epoll_event ready[CHILDREN_MAX + 1];
        int count = epoll_wait(poll, ready, CHILDREN_MAX + 1, 500);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.ptr == NULL)
                taking_pump();
            else
                collect(ready[i].data.ptr);
        }
        settling_flush();
    }
}
