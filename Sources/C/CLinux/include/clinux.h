/*
 * clinux - Linux calls that Swift's Glibc module lacks, wrapped one to one.
 *
 * Unless said otherwise a function returns a value >= 0 on success and -errno
 * on failure, so that nothing can change errno between call and look.
 * Every descriptor made here is close-on-exec.
 */
#ifndef CLINUX_H
#define CLINUX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- epoll (clinux_epoll.c) ---- */

#define CLINUX_EPOLL_IN 0x001u
#define CLINUX_EPOLL_OUT 0x004u
#define CLINUX_EPOLL_ERR 0x008u
#define CLINUX_EPOLL_HUP 0x010u

struct clinux_epoll_event {
    uint64_t token;
    uint32_t events;
    uint32_t reserved;
};

int clinux_epoll_create(void);
int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token);
int clinux_epoll_remove(int epoll, int descriptor);
/* The number of events stored; timeout in nanoseconds, < 0: none. -EINTR when a signal came. */
int clinux_epoll_wait(int epoll, struct clinux_epoll_event *events, int capacity, int64_t timeout_ns);

/* ---- descriptors that tell of things (clinux_events.c) ---- */

/* Non-blocking counter at 0. */
int clinux_eventfd(void);
int clinux_eventfd_signal(int descriptor);
/* Sets the counter to 0. */
int clinux_eventfd_drain(int descriptor);

/* Non-blocking, monotonic. */
int clinux_timerfd(void);
/* Expires once at this monotonic time; 0 disarms. */
int clinux_timerfd_set(int descriptor, uint64_t monotonic_ns);
int clinux_timerfd_drain(int descriptor);

struct clinux_signal {
    int32_t number;
    int32_t pid;
    uint32_t uid;
    int32_t status;
};

/* Blocks the signals in the calling thread (and so in threads it starts later) and returns a
 * non-blocking descriptor for them. */
int clinux_signalfd(const int *signals, int count);
/* 1: stored; 0: none pending. */
int clinux_signalfd_read(int descriptor, struct clinux_signal *signal);
int clinux_unblock_signals(const int *signals, int count);
int clinux_ignore_signal(int signal);
/* The first real-time signal free for programs. */
int clinux_sigrtmin(void);
/* "SEGV" for 11; NULL when the number has no name. */
const char *clinux_signal_name(int signal);

#define CLINUX_IN_MODIFY 0x002u
#define CLINUX_IN_ATTRIB 0x004u
#define CLINUX_IN_CLOSE_WRITE 0x008u
#define CLINUX_IN_MOVED_FROM 0x040u
#define CLINUX_IN_MOVED_TO 0x080u
#define CLINUX_IN_CREATE 0x100u
#define CLINUX_IN_DELETE 0x200u
#define CLINUX_IN_DELETE_SELF 0x400u
#define CLINUX_IN_MOVE_SELF 0x800u
#define CLINUX_IN_Q_OVERFLOW 0x4000u
#define CLINUX_IN_IGNORED 0x8000u

struct clinux_inotify_event {
    int32_t watch;
    uint32_t mask;
    const char *name; /* inside the buffer that was read; "" when the event is about the watched thing itself */
};

/* Non-blocking. */
int clinux_inotify(void);
/* The watch's number. */
int clinux_inotify_add(int descriptor, const char *path, uint32_t mask);
int clinux_inotify_remove(int descriptor, int watch);
/* Steps through what read(2) gave: stores the event at *offset and moves on; false at the end. */
bool clinux_inotify_next(const void *buffer, size_t length, size_t *offset, struct clinux_inotify_event *event);

/* ---- memory, sockets, pipes (clinux_channels.c) ---- */

/* Closed whatever it returns. */
int clinux_close(int descriptor);

/* A folder, as a place to open others from: needs no right to read it. No link; folder < 0: name begins with '/'. */
int clinux_open_place(int folder, const char *name);

/* An anonymous file that can be sealed. */
int clinux_memfd(const char *name);
/* No more writing, growing, shrinking. */
int clinux_memfd_seal(int descriptor);
/* No more growing and shrinking: a shared mapping of it cannot end early, whatever others do. */
int clinux_memfd_seal_size(int descriptor);
/* Shared, readable, and writable if asked. NULL on failure. */
void *clinux_map_shared(int descriptor, size_t length, bool writable);

/* AF_UNIX pairs, both ends non-blocking. */
int clinux_socketpair_stream(int ends[2]);
int clinux_socketpair_seqpacket(int ends[2]);
/* [0] reads, [1] writes; blocking. */
int clinux_pipe(int ends[2]);
/* The pipe's new size in bytes. */
int clinux_pipe_set_size(int descriptor, int bytes);
int clinux_set_nonblocking(int descriptor, bool on);
/* Bytes asked for, each way; the kernel doubles and bounds them. */
int clinux_set_socket_buffers(int descriptor, int bytes);

/* Never blocks, never raises SIGPIPE. The number of bytes sent. */
ssize_t clinux_send(int socket, const void *bytes, size_t length);
/* One message with up to 16 descriptors. */
ssize_t clinux_send_descriptors(int socket, const void *bytes, size_t length, const int *descriptors, int count);
/* Never blocks. *count: in, room; out, how many came (they are close-on-exec). -EMSGSIZE when bytes or descriptors
 * were cut off (those that came are closed). */
ssize_t clinux_receive_descriptors(int socket, void *bytes, size_t capacity, int *descriptors, int *count);
/* The user of the process at the other end of a Unix socket, as it was when it connected. */
int64_t clinux_peer_user(int socket);
/* Never blocks; 0 is end of file. */
ssize_t clinux_receive(int socket, void *bytes, size_t capacity);

/* ---- the command line (clinux_arguments.c) ---- */

/* Program name included; 0: unknown. */
int clinux_argument_count(void);
/* The kernel's own bytes, which other users of the machine can read too, as long as the process lives: they may be
 * overwritten, within their length. NULL: there is no such argument. */
char *clinux_argument(int index);

/* ---- processes (clinux_process.c) ---- */

int clinux_pidfd_open(pid_t pid);
int clinux_pidfd_send_signal(int pidfd, int signal);
/* Orphans among our descendants become our children. */
int clinux_set_subreaper(bool on);
int clinux_set_parent_death_signal(int signal);
/* CPUs that this thread may run on, or -errno. */
int clinux_affinity_count(void);
/* Whether other processes of our user may look into us (ptrace, /proc/PID/mem, environ), and a crash may leave a core. */
int clinux_set_dumpable(bool on);
/* The kernel's version of Landlock; 0: none. */
int clinux_landlock_version(void);
/* The pages of this program's code and constants are no longer counted as ours; what is needed again is mapped again, at
 * a fault for each 64 KiB. */
void clinux_forget_code(void);
/* first..last, both included. */
int clinux_close_range(unsigned first, unsigned last);
/* Raises the soft limit of open descriptors to `wanted`, or to the hard limit. What it is now. */
int64_t clinux_raise_descriptor_limit(uint64_t wanted);

bool clinux_wait_exited(int status);
int clinux_wait_exit_status(int status);
bool clinux_wait_signaled(int status);
int clinux_wait_signal(int status);
bool clinux_wait_dumped_core(int status);
/* Reaps this child (-1: any) without waiting: its pid and *status; 0: still runs; -ECHILD: no such child. */
pid_t clinux_reap(pid_t pid, int *status);

/* Starts a program with this environment, default signal handling, an empty signal mask and a session of its own.
 * descriptors[i] becomes number i in it; all others are closed. The pid. */
pid_t clinux_spawn(const char *path, char *const argv[], char *const envp[], const int *descriptors, int count);

/* ---- clocks ---- */

uint64_t clinux_monotonic_ns(void);
int64_t clinux_realtime_us(void);

#endif
