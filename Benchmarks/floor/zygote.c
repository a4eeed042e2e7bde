/* A fork for each message: a small single-threaded zygote forks, the child answers and exits, the zygote reaps it.
 * A message is done when both have been seen. */
#include "floor.h"
#include "tally.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define LANES_MAX 64
#define ORDER_MAX (1 << 16)

enum { ANSWERED = 1, REAPED = 2 };
typedef struct {
    uint32_t lane, what;
} note;

static work *lanes[LANES_MAX];
static uint32_t seen[LANES_MAX];

static void tell(int socket, uint32_t lane, uint32_t what) {
    note one = {lane, what};
    if (send(socket, &one, sizeof one, MSG_NOSIGNAL) != (ssize_t)sizeof one) _exit(1);
}

static void reap(int notes, const pid_t *pids) {
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (uint32_t lane = 0; lane < LANES_MAX; lane++)
            if (pids[lane] == pid) tell(notes, lane, REAPED);
}

/* Orders are a lane's number and the body, one datagram each. */
__attribute__((noreturn)) static void serve(int orders, int notes, const char *tally) {
    static char order[ORDER_MAX];
    static pid_t pids[LANES_MAX];
    sigset_t deaths;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!tally_take(tally)) _exit(1);
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
        if (recv(orders, order, sizeof order, 0) < (ssize_t)sizeof(uint32_t)) _exit(0);
        uint32_t lane;
        memcpy(&lane, order, sizeof lane);
        pid_t pid = fork();
        if (pid < 0 || lane >= LANES_MAX) _exit(1);
        if (pid == 0) {
            tally_done();
            tell(notes, lane, ANSWERED);
            _exit(0);
        }
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
}

static void collect(int notes) {
    note one;
    while (recv(notes, &one, sizeof one, MSG_DONTWAIT) == (ssize_t)sizeof one) {
        seen[one.lane] |= one.what;
        if (seen[one.lane] != (ANSWERED | REAPED)) continue;
        settling_done(lanes[one.lane]);
        lanes[one.lane] = NULL;
    }
}

void run_zygote(const floor_settings *settings) {
    int orders[2], notes[2];
    if (settings->children > LANES_MAX) give_up("at most %d children", LANES_MAX);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) != 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, notes) != 0)
        give_up("socketpair: %m");
    pid_t pid = fork();
    if (pid < 0) give_up("fork: %m");
    if (pid == 0) {
        close(orders[0]);
        close(notes[0]);
        serve(orders[1], notes[1], settings->tally);
    }
    close(orders[1]);
    close(notes[1]);
    int poll = epoll_create1(EPOLL_CLOEXEC), broker = taking_open(settings);
    settling_open(settings);
    epoll_ctl(poll, EPOLL_CTL_ADD, broker, &(struct epoll_event){.events = EPOLLIN, .data.fd = broker});
    epoll_ctl(poll, EPOLL_CTL_ADD, notes[0], &(struct epoll_event){.events = EPOLLIN, .data.fd = notes[0]});
    taking_pump();
    while (!taking_stopped()) {
        for (uint32_t lane = 0; lane < (uint32_t)settings->children; lane++) {
            work *one = lanes[lane] == NULL ? taking_next() : NULL;
            if (one != NULL) give(orders[0], lane, one);
        }
        struct epoll_event ready[2];
        int count = epoll_wait(poll, ready, 2, 500);
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd == broker)
                taking_pump();
            else if (ready[i].events & EPOLLHUP)
                give_up("the zygote died");
            else
                collect(notes[0]);
        }
        settling_flush();
    }
}
