/* A fork for each message. The zygote is a small process with one thread: it forks, the child answers and exits, the zygote
 * reaps it. A message is done when both have been seen. Of lanes there are as many as children: each is a zygote for one child
 * at a time, and blocks until it has ended. */
#include "floor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LANES_MAX 64
#define ORDER_MAX (1 << 17)

enum { ANSWERED = 1, REAPED = 2 };
enum { BROKER = 1, NOTES = 2 }; /* marks of the epoll set */
typedef struct {
    uint32_t lane, what;
} note;

static work *lanes[LANES_MAX];
static uint32_t seen[LANES_MAX];
static int given; /* messages that children have */
static char order[ORDER_MAX]; /* a lane's number and the body, one datagram */

static void tell(int socket, uint32_t lane, uint32_t what) {
    note one = {lane, what};
    if (send(socket, &one, sizeof one, MSG_NOSIGNAL) != (ssize_t)sizeof one) _exit(1);
}

static void begin_serving(const floor_settings *settings) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!begin_tasks(settings)) _exit(1);
}

/* Forks a child for the next order; its lane is put into *lane. */
static pid_t fork_for_order(const floor_settings *settings, int orders, int notes, uint32_t *lane) {
    ssize_t length = recv(orders, order, sizeof order, 0);
    if (length < (ssize_t)sizeof *lane) _exit(0);
    memcpy(lane, order, sizeof *lane);
    pid_t pid = fork();
    if (pid < 0 || *lane >= LANES_MAX) _exit(1);
    if (pid > 0) return pid;
    run_task(settings, order + sizeof *lane, (size_t)length - sizeof *lane);
    tell(notes, *lane, ANSWERED);
    _exit(0);
}

__attribute__((noreturn)) static void serve_lane(const floor_settings *settings, int orders, int notes) {
    begin_serving(settings);
    for (;;) {
        uint32_t lane;
        pid_t pid = fork_for_order(settings, orders, notes, &lane);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        tell(notes, lane, REAPED);
    }
}

static void reap(int notes, const pid_t *pids) {
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (uint32_t lane = 0; lane < LANES_MAX; lane++)
            if (pids[lane] == pid) tell(notes, lane, REAPED);
}

__attribute__((noreturn)) static void serve_all(const floor_settings *settings, int orders, int notes) {
    static pid_t pids[LANES_MAX];
    sigset_t deaths;
    begin_serving(settings);
    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    sigprocmask(SIG_BLOCK, &deaths, NULL);
    struct pollfd waits[2] = {{orders, POLLIN, 0}, {signalfd(-1, &deaths, SFD_NONBLOCK | SFD_CLOEXEC), POLLIN, 0}};
    for (;;) {
        if (poll(waits, 2, -1) < 0 && errno != EINTR) _exit(1);
        if (waits[1].revents != 0) {
            struct signalfd_siginfo deaths_seen[16];
            if (read(waits[1].fd, deaths_seen, sizeof deaths_seen) < 0 && errno != EAGAIN) _exit(1);
            reap(notes, pids);
        }
        if (waits[0].revents == 0) continue;
        uint32_t lane;
        pid_t pid = fork_for_order(settings, orders, notes, &lane);
        pids[lane] = pid;
    }
}

static void give(int orders, uint32_t lane, work *one) {
    struct iovec parts[2] = {{&lane, sizeof lane}, {one->body, one->body_length}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (sendmsg(orders, &message, MSG_NOSIGNAL) != (ssize_t)(sizeof lane + one->body_length))
        give_up("giving an order to the zygote: %m");
    lanes[lane] = one;
    seen[lane] = 0;
    given++;
}

static void collect(int notes) {
    note one;
    while (recv(notes, &one, sizeof one, MSG_DONTWAIT) == (ssize_t)sizeof one) {
        seen[one.lane] |= one.what;
        if (seen[one.lane] != (ANSWERED | REAPED)) continue;
        settling_done(lanes[one.lane]);
        lanes[one.lane] = NULL;
        given--;
    }
}

/* Starts the processes that fork; the socket for orders of each lane. */
static void start(const floor_settings *settings, bool own, int notes[2], int orders[LANES_MAX]) {
    for (int i = 0; i < (own ? settings->children : 1); i++) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) give_up("socketpair: %m");
        pid_t pid = fork();
        if (pid < 0) give_up("fork: %m");
        if (pid == 0) {
            for (int other = 0; other < i; other++) close(orders[other]);
            close(pair[0]);
            close(notes[0]);
            (own ? serve_lane : serve_all)(settings, pair[1], notes[1]);
        }
        close(pair[1]);
        orders[i] = pair[0];
    }
    for (int i = 1; i < settings->children && !own; i++) orders[i] = orders[0];
}

void run_forks(const floor_settings *settings, bool own) {
    int notes[2], orders[LANES_MAX];
    if (settings->children > LANES_MAX) give_up("at most %d children", LANES_MAX);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, notes) != 0) give_up("socketpair: %m");
    start(settings, own, notes, orders);
    close(notes[1]);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    settling_open(settings);
    epoll_ctl(poll, EPOLL_CTL_ADD, notes[0], &(struct epoll_event){.events = EPOLLIN, .data.u64 = NOTES});
    taking_open(settings, poll, BROKER);
    while (!taking_stopped() || given > 0) {
        for (uint32_t lane = 0; lane < (uint32_t)settings->children && !taking_stopped(); lane++) {
            work *one = lanes[lane] == NULL ? taking_next() : NULL;
            if (one != NULL) give(orders[lane], lane, one);
        }
        struct epoll_event ready[2];
        int count = epoll_wait(poll, ready, 2, 500);
        bool is_readable = false;
        for (int i = 0; i < count; i++) {
            if (ready[i].data.u64 == BROKER)
                is_readable = true;
            else if (ready[i].events & EPOLLHUP)
                give_up("the zygote died");
            else
                collect(notes[0]);
        }
        taking_turn(is_readable);
        settling_flush();
    }
}
