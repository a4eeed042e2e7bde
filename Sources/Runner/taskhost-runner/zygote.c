/* zygote - one thread, one poll; orders come in, children die, reports go out, one datagram per turn. */
#define _GNU_SOURCE
#include "zygote.h"

#include "confine.h"
#include "context.h"
#include "control.h"
#include "crash.h"
#include "lanes.h"
#include "load.h"
#include "locale_free.h"
#include "private_fd.h"
#include "soft_limit.h"
#include "tree.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { EXIT_REFUSED = 2 };
enum { SWEEP_AGAIN_MS = 5 };
static const double SWEEP_COMPLAIN_S = 5, LAST_SWEEP_S = 5;

static bool retiring, sweep_wanted;

/* Signals meant for the whole group or service must not end the zygote before the host says so: blocked, and children
 * start with nothing blocked. SIGPIPE is blocked alike, which for us is ignoring it. */
static int watch_signals(void) {
    sigset_t all, children;
    for (int number = 1; number < SIGRTMAX; number++) {
        signal(number, SIG_DFL); /* whatever the host's parent had ignored */
    }
    sigemptyset(&all);
    const int blocked[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE, SIGTSTP};
    for (size_t index = 0; index < sizeof blocked / sizeof blocked[0]; index++) {
        sigaddset(&all, blocked[index]);
    }
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigemptyset(&children);
    sigaddset(&children, SIGCHLD);
    return private_fd(signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
}

static void open_lanes(const struct control_message *message) {
    size_t fd = 0;
    for (size_t index = 0; index < message->count; index++) {
        const struct control_record *record = &message->records[index];
        if (record->type != RUNNER_LANE_OPEN) {
            continue;
        }
        /* With too few descriptors some did not come, or could not be moved. */
        const int *fds = message->fds + fd;
        if (fd + 3 <= message->fd_count && fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0) {
            lane_open(record->lane, fds[0], fds[1], fds[2]);
            fd += 3;
        } else {
            control_send((struct control_record){.type = RUNNER_LANE_FAILED, .lane = record->lane, .status = EMFILE});
            break;
        }
    }
    while (fd < message->fd_count) {
        if (message->fds[fd++] >= 0) {
            close(message->fds[fd - 1]);
        }
    }
}

static void fork_child(const struct control_record *record) {
    struct lane *lane = lane_numbered(record->lane);
    int error = lane != NULL ? lane_fork(lane, record->sequence) : ENOENT;
    if (error == 0) {
        control_send((struct control_record){.type = RUNNER_FORKED, .lane = record->lane, .pid = lane->pid});
    } else {
        control_send((struct control_record){.type = RUNNER_FORK_FAILED, .lane = record->lane, .status = error});
    }
}

static void signal_group(const struct lane *lane, int number) {
    if (kill(-lane->pid, number) != 0) {
        kill(lane->pid, number); /* not its own group's leader yet */
    }
}

static void obey(const struct control_record *record) {
    if (record->type == RUNNER_FORK) {
        fork_child(record);
        return;
    }
    switch (record->type) {
    case RUNNER_RETIRE: retiring = true; return;
    case RUNNER_PING: control_send((struct control_record){.type = RUNNER_PONG}); return;
    case RUNNER_SWEEP: sweep_wanted = true; return;
    default: break;
    }
    struct lane *lane = lane_numbered(record->lane);
    if (lane == NULL) {
        return; /* closed meanwhile */
    }
    if (record->type == RUNNER_LANE_CLOSE) {
        lane_close(lane);
        return;
    }
    if (lane->state != LANE_SERVING || (record->pid != 0 && record->pid != lane->pid)) {
        return; /* dead meanwhile */
    }
    switch (record->type) {
    case RUNNER_KILL: lane_kill(lane); break;
    case RUNNER_SOFT: soft_limit_send(lane->pid, record->sequence); break;
    case RUNNER_SIGNAL: signal_group(lane, record->status); break;
    default: break;
    }
}

/* False: the host is gone. */
static bool obey_all(void) {
    struct control_message message;
    for (;;) {
        switch (control_receive(&message)) {
        case CONTROL_CLOSED: return false;
        case CONTROL_EMPTY: return true;
        case CONTROL_MESSAGE: break;
        }
        open_lanes(&message);
        for (size_t index = 0; index < message.count; index++) {
            obey(&message.records[index]);
        }
    }
}

/* True when nothing is left to sweep. */
static bool sweep(void) {
    if (!lanes_any(LANE_ENDED)) {
        return true;
    }
    if (tree_kill_strays() == 0) {
        lanes_report_ended();
        return true;
    }
    for (size_t index = 0; index < lane_count; index++) {
        struct lane *lane = &lanes[index];
        bool late = lane->state == LANE_ENDED && monotonic_seconds() - lane->ended_at > SWEEP_COMPLAIN_S;
        if (late && !lane->complained) {
            lane->complained = true;
            control_log(LEVEL_WARNING, "processes left by child %d resist SIGKILL since %g s", lane->pid,
                        SWEEP_COMPLAIN_S);
        }
    }
    return false;
}

static void serve(int signals) {
    bool swept = true;
    while (!(retiring && swept && !lanes_any(LANE_SERVING) && !lanes_any(LANE_ENDED))) {
        struct pollfd watched[] = {{control_descriptor(), POLLIN, 0}, {signals, POLLIN, 0}};
        if (poll(watched, 2, swept ? -1 : SWEEP_AGAIN_MS) < 0 && errno != EINTR) {
            break;
        }
        if (watched[1].revents != 0) {
            struct signalfd_siginfo dead[16];
            ssize_t got = read(signals, dead, sizeof dead);
            (void)got; /* SIGCHLD is a hint: who died is asked below */
        }
        if (watched[0].revents != 0 && !obey_all()) {
            break;
        }
        tree_reap();
        if (sweep_wanted) {
            sweep_wanted = false;
            tree_kill_strays();
        }
        swept = sweep();
        control_flush();
    }
}

static bool prepare(int *signals) {
    c_locale_prepare();
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* a task's lines reach the log when they are written */
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever a bundle does while it is loaded */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    return private_fds_prepare() && control_open() >= 0 && (*signals = watch_signals()) >= 0;
}

int zygote_main(const char *path, const char *shown_path) {
    int signals = -1;
    if (!prepare(&signals)) {
        fprintf(stderr,
                "taskhost-runner: cannot start: %s. It needs its control socket as descriptor %d and at least %d "
                "descriptors (ulimit -Hn)\n",
                strerror(errno), RUNNER_CONTROL_FD, RUNNER_PRIVATE_FD_BASE + 64);
        return RUNNER_EXIT_SYSTEM;
    }
    if (!tree_prepare()) {
        control_log(LEVEL_WARNING, "this kernel does not list a process's children: what leaves its process group "
                    "cannot be found and killed");
    }
    struct text fault = {0};
    if (!confine_zygote(&fault)) {
        struct text sentence = {0};
        text_append_format(&sentence, "%s %s", shown_path, text_string(&fault));
        control_send_text((struct control_record){.type = RUNNER_REFUSED}, sentence.bytes, sentence.length);
        return EXIT_REFUSED;
    }
    if (!load_bundle(path, shown_path)) {
        tree_kill_everything(LAST_SWEEP_S);
        return EXIT_REFUSED;
    }
    if (strcmp(path, RUNNER_BUNDLE_PATH) == 0) {
        close(RUNNER_BUNDLE_FD); /* mapped by now; children have nothing that they need not */
    }
    crash_handlers_install();
    soft_limit_install();
    prctl(PR_SET_NAME, "taskhost-zygote");
    /* From now on the host's death shows as the end of its socket, and everything is swept before we go. A signal that
     * only wakes: one who was stopped would not see it. */
    prctl(PR_SET_PDEATHSIG, SIGCONT);
    serve(signals);
    tree_kill_everything(LAST_SWEEP_S);
    return 0;
}
