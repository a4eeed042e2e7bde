/* Bundles that must be refused, one per -D. */
#define _GNU_SOURCE
#include <taskhost.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#ifndef SIGNATURE
#define SIGNATURE "x:f64->f64"
#endif
__attribute__((unused)) static double add(double x) { return x; }
static const taskhost_options options = {
    .size = sizeof options,
#ifdef OPTIONS
    OPTIONS
#endif
};
__attribute__((unused)) static void handle(task_context *task, void *user) {
    (void)task;
    (void)user;
}
static const taskhost_task task = {.size = sizeof task, .name = "add", .signature = SIGNATURE,
#ifdef HANDLES
                                   .handler = handle,
#else
                                   .function = (void (*)(void))add,
#endif
                                   .options = &options};
static const taskhost_bundle_info info = {sizeof info, 1,
#ifdef NEWER
                                          7,
#else
                                          0,
#endif
                                          "bad", "1", "1.7.0 c"};
#ifdef UNDEFINED
extern int nobody_defines_this(void);
#endif
#if defined(LOADING)
static void start_process(void);
__attribute__((unused)) static void use(void) { start_process(); }
__attribute__((constructor)) static void loading(void) { LOADING; }
#endif
__attribute__((unused)) static void *idle(void *unused) {
    for (;;) {
        pause();
    }
    return unused;
}
__attribute__((unused)) static void start_thread(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, idle, NULL);
}
__attribute__((unused)) static void start_process(void) {
    if (fork() == 0) {
        setsid();
        idle(NULL);
    }
}

#ifndef NO_ENTRY
int taskhost_bundle_v1(const taskhost_host *host) {
#ifdef UNDEFINED
    nobody_defines_this();
#endif
#ifdef RETURNS
    return RETURNS;
#endif
#ifndef UNDESCRIBED
    if (host->describe(&info) != 0) {
        return 1;
    }
#endif
#ifdef TWICE
    host->add(&task);
#endif
#ifdef REGISTERING
    REGISTERING;
#endif
#ifdef SCHEDULE
    static const taskhost_task other = {.size = sizeof other, .name = "other", .signature = SIGNATURE,
                                        .function = (void (*)(void))add};
    const taskhost_schedule schedule = {.size = sizeof schedule, .name = "nightly", .task = "other", SCHEDULE};
    if (host->add(&other) != 0 || host->schedule(&schedule) != 0) {
        return 1;
    }
#endif
    return host->add(&task);
}
#endif
