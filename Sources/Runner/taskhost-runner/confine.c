/* confine - limits, privileges, and who may look into whose memory. */
#define _GNU_SOURCE
#include "confine.h"

#include "control.h"
#include "landlock.h"
#include "private_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_SYSTEM = 71 /* EX_OSERR */, MOST_FOLDERS = 64, PROCESSOR_TIME_SLACK_S = 5 };

static struct {
    bool debuggable, privileges, signals;
    long umask, oom_score, file_mib, processes;
    const char *writable[MOST_FOLDERS + 1];
    size_t writable_count;
} wanted = {.debuggable = true, .privileges = true, .signals = true, .umask = -1};

static long processors = 1;
static int ruleset = -1;
static int oom_file = -1;
static char oom_before[16], oom_wanted[16];

static bool number_of(const char *value, int base, long most, long *out) {
    char *end;
    errno = 0;
    long number = strtol(value, &end, base);
    if (errno != 0 || end == value || *end != '\0' || number < 0 || number > most) {
        return false;
    }
    *out = number;
    return true;
}

bool confine_option(const char *word) {
    const char *value = strchr(word, '=');
    if (value == NULL) {
        return false;
    }
    const size_t length = (size_t)(value++ - word);
    const struct {
        const char *name;
        int base;
        long most;
        long *number;
        bool *flag;
    } known[] = {
        {"debuggable", 10, 1, NULL, &wanted.debuggable}, {"privileges", 10, 1, NULL, &wanted.privileges},
        {"signals", 10, 1, NULL, &wanted.signals},       {"umask", 8, 0777, &wanted.umask, NULL},
        {"oom", 10, 1000, &wanted.oom_score, NULL},      {"file_mib", 10, 1L << 40, &wanted.file_mib, NULL},
        {"processes", 10, 1L << 22, &wanted.processes, NULL},
    };
    for (size_t index = 0; index < sizeof known / sizeof known[0]; index++) {
        if (strlen(known[index].name) == length && memcmp(known[index].name, word, length) == 0) {
            long number;
            if (!number_of(value, known[index].base, known[index].most, &number)) {
                return false;
            }
            if (known[index].flag != NULL) {
                *known[index].flag = number != 0;
            } else {
                *known[index].number = number;
            }
            return true;
        }
    }
    if (length == 5 && memcmp(word, "write", 5) == 0 && wanted.writable_count < MOST_FOLDERS) {
        wanted.writable[wanted.writable_count++] = value;
        return true;
    }
    return false;
}

/* Opened while we may: the file of a process that is not dumpable belongs to root. */
static void prepare_oom_score(void) {
    ssize_t got = -1;
    if (wanted.oom_score == 0) {
        return;
    }
    oom_file = private_fd(open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC));
    if (oom_file >= 0) {
        got = pread(oom_file, oom_before, sizeof oom_before - 1, 0);
    }
    if (got <= 0) {
        control_log(LEVEL_WARNING, "/proc/self/oom_score_adj cannot be opened (%s): when memory is short, the kernel may "
                    "end the worker rather than its tasks", strerror(errno));
        oom_file = -1;
    } else if (atol(oom_before) >= wanted.oom_score) {
        close(oom_file);
        oom_file = -1;
    }
    snprintf(oom_wanted, sizeof oom_wanted, "%ld\n", wanted.oom_score);
}

static void set_oom_score(const char *score) {
    if (oom_file >= 0 && pwrite(oom_file, score, strlen(score), 0) < 0) {
        control_log(LEVEL_WARNING, "the kernel refuses an oom_score_adj of %ld: %s", atol(score), strerror(errno));
        close(oom_file);
        oom_file = -1;
    }
}

void confine_before_fork(void) { set_oom_score(oom_wanted); }
void confine_after_fork(void) { set_oom_score(oom_before); }

bool confine_zygote(struct text *fault) {
    processors = sysconf(_SC_NPROCESSORS_ONLN);
    processors = processors > 0 ? processors : 1;
    if (wanted.umask >= 0) {
        umask((mode_t)wanted.umask);
    }
    prepare_oom_score();
    if (!landlock_prepare(!wanted.signals, wanted.writable, wanted.writable_count, &ruleset, fault)) {
        return false;
    }
    /* Landlock asks for it: rights that were taken must not come back with a setuid program. */
    if ((!wanted.privileges || ruleset >= 0) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        text_append_format(fault, "cannot be served: the kernel refuses no_new_privs: %s: set [sandbox] new_privileges",
                           strerror(errno));
        return false;
    }
    /* A bundle's constructors run in here: what kills its parent would end the worker, unnamed. */
    if (!wanted.signals && !landlock_scope_signals()) {
        text_append_format(fault, "cannot be served: the kernel refuses a Landlock domain: %s: set [sandbox] signals",
                           strerror(errno));
        return false;
    }
    /* Last: from here on our files in /proc are root's. Children inherit it. */
    if (!wanted.debuggable && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        text_append_format(fault, "cannot be served: PR_SET_DUMPABLE: %s: set [sandbox] debuggable", strerror(errno));
        return false;
    }
    return true;
}

static void fail(const char *what) {
    fprintf(stderr, "taskhost-runner: %s: %s\n", what, strerror(errno));
    _exit(EXIT_SYSTEM);
}

/* Never more than there was. */
static void lower(__rlimit_resource_t resource, rlim_t value, const char *name) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0) {
        fail(name);
    }
    if (value < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max = value;
        if (setrlimit(resource, &limit) != 0) {
            fail(name);
        }
    }
}

void confine_child(void) {
    if (wanted.file_mib > 0) {
        lower(RLIMIT_FSIZE, (rlim_t)wanted.file_mib << 20, "RLIMIT_FSIZE");
    }
    if (wanted.processes > 0) {
        lower(RLIMIT_NPROC, (rlim_t)wanted.processes, "RLIMIT_NPROC");
    }
    if (ruleset >= 0 && !landlock_enter(ruleset)) {
        fail("landlock_restrict_self");
    }
}

void confine_processor_time(double hard_limit_s) {
    /* Threads add up: a task may use all processors until its limit. */
    const double seconds = (hard_limit_s + PROCESSOR_TIME_SLACK_S) * (double)processors + 1;
    if (hard_limit_s > 0 && seconds < 1e9) {
        lower(RLIMIT_CPU, (rlim_t)seconds, "RLIMIT_CPU");
    }
}
