/* LD_PRELOAD for the host under valgrind 3.19, which knows no pidfd_open: an eventfd, written to by a thread that waits
 * for the process, and kill(2). All other system calls pass. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };
static pid_t watched[DESCRIPTORS];

static long passed_on(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    if (result < 0 && result > -4096) {
        errno = (int)-result;
        return -1;
    }
    return result;
}

static void *wait_for_end(void *given) {
    int descriptor = (int)(intptr_t)given;
    siginfo_t info;
    while (waitid(P_PID, (id_t)watched[descriptor], &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {}
    (void)!write(descriptor, &(uint64_t){1}, sizeof(uint64_t));
    return NULL;
}

static long watch(pid_t pid) {
    int descriptor = eventfd(0, EFD_CLOEXEC);
    if (descriptor < 0 || descriptor >= DESCRIPTORS) return -1;
    watched[descriptor] = pid;
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(&thread, NULL, wait_for_end, (void *)(intptr_t)descriptor);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0) pthread_detach(thread);
    return descriptor;
}

long syscall(long number, ...) {
    va_list rest;
    va_start(rest, number);
    long a[6];
    for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_pidfd_open) return watch((pid_t)a[0]);
    if (number == SYS_pidfd_send_signal) return kill(watched[a[0]], (int)a[1]);
    return passed_on(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
