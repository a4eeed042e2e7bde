/* crash - fills the page, then lets the process die of the very signal, so that the wait status stays true. */
#define _GNU_SOURCE
#include "crash.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

enum { ALTERNATE_STACK = 64 << 10 };

static const int fatal_signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS};
enum { FATAL_SIGNALS = sizeof fatal_signals / sizeof fatal_signals[0] };

static struct crash_page *page;
static pid_t page_owner; /* processes forked by a task share the page, but it is not about them */
static struct sigaction previous[FATAL_SIGNALS];
static volatile sig_atomic_t handling;
static int text_descriptor = -1;

static uint64_t instruction_of(const ucontext_t *context) {
#if defined(__x86_64__)
    return (uint64_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return context->uc_mcontext.pc;
#else
#error "say where the program counter is on this machine"
#endif
}

/* The innermost frames are the handler's own; the task's begin at the faulting instruction. */
static void note_frames(uint64_t ip) {
    void *found[RUNNER_MAX_FRAMES];
    int count = backtrace(found, RUNNER_MAX_FRAMES), first = 0;
    while (first < count && (uint64_t)(uintptr_t)found[first] != ip) {
        first++;
    }
    uint32_t out = 0;
    if (first == count) { /* ip itself was not on the way, as after a jump to nowhere */
        page->frames[out++] = ip;
        first = count > 2 ? 2 : count;
    }
    while (first < count && out < RUNNER_MAX_FRAMES) {
        page->frames[out++] = (uint64_t)(uintptr_t)found[first++];
    }
    page->frame_count = out;
}

static void restore(int number) {
    for (int index = 0; index < FATAL_SIGNALS; index++) {
        if (fatal_signals[index] == number) {
            sigaction(number, &previous[index], NULL);
        }
    }
}

static void on_crash(int number, siginfo_t *info, void *context) {
    if (handling) { /* the unwinder fell over a broken stack: what is known stands in the page */
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    handling = 1;
    if (page != NULL && getpid() == page_owner) {
        page->signal = number;
        page->code = info->si_code;
        page->address = (uint64_t)(uintptr_t)info->si_addr;
        page->ip = instruction_of(context);
        page->frame_count = 0;
        page->state = CRASH_FILLED;
        note_frames(page->ip);
    }
    restore(number);
    /* A fault happens again on return, now with the previous handler; what was sent must be sent again. */
    handling = 0;
    if (info->si_code <= 0) {
        raise(number);
    }
}

void crash_handlers_install(void) {
    void *first[2];
    backtrace(first, 2); /* loads libgcc now: inside the handler it might deadlock */
    void *memory = mmap(NULL, ALTERNATE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory != MAP_FAILED) {
        const stack_t stack = {.ss_sp = memory, .ss_size = ALTERNATE_STACK};
        sigaltstack(&stack, NULL);
    }
    struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    action.sa_sigaction = on_crash;
    sigemptyset(&action.sa_mask);
    for (int index = 0; index < FATAL_SIGNALS; index++) {
        sigaction(fatal_signals[index], &action, &previous[index]);
    }
}

int crash_text_descriptor(void) {
    if (text_descriptor < 0) {
        text_descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC); /* holds the number */
    }
    return text_descriptor;
}

bool crash_page_map(int page_fd) {
    if (text_descriptor >= 0) { /* its position belongs to the lane: one child at a time */
        dup3(page_fd, text_descriptor, O_CLOEXEC);
        lseek(text_descriptor, RUNNER_CRASH_TEXT_AT, SEEK_SET);
    }
    void *memory = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, page_fd, 0);
    page = memory != MAP_FAILED ? memory : NULL;
    page_owner = getpid();
    return page != NULL;
}

bool crash_page_claim(uint64_t sequence) {
    return page == NULL || lane_claim(&page->claims, sequence);
}

void crash_page_begin(uint64_t sequence) {
    if (page != NULL) {
        page->sequence = sequence;
        page->state = CRASH_RUNNING;
    }
}

void crash_page_end(void) {
    if (page != NULL) {
        page->state = CRASH_IDLE;
    }
}
