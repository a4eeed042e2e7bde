/* registry - what the bundle said of itself while loading. */
#ifndef RUNNER_REGISTRY_H
#define RUNNER_REGISTRY_H
#include "signature.h"
#include "taskhost_abi.h"

struct task_entry {
    char *name;
    char *declared; /* the name as the bundle wrote it */
    const char *function_name; /* the name after its last dot, for Python-like errors */
    struct signature signature;
    void (*function)(void);
    void (*handler)(task_context *task, void *user);
    void *user;
    taskhost_options options; /* texts copied */
};

struct registry {
    bool described;
    char *name, *version, *sdk;
    unsigned abi_major, abi_minor;
    struct task_entry **tasks; /* each in a place of its own: libffi keeps pointers into them */
    uint32_t count, capacity;
    taskhost_schedule **schedules; /* texts copied, names completed */
    uint32_t schedule_count;
    void (*leave)(void); /* called in children that end by themselves; NULL: nothing is */
    struct text fault; /* why a call was refused; stands behind the file's name */
};

extern struct registry registry;

/* taskhost_host.describe, .add, .schedule, .at_exit and .refuse */
int registry_describe(const taskhost_bundle_info *info);
int registry_add(const taskhost_task *task);
int registry_schedule(const taskhost_schedule *schedule);
int registry_at_exit(void (*leave)(void));
int registry_refuse(const char *why);

/* A name with the bundle's name and a dot before it, unless it has a dot. */
char *registry_full_name(const char *name);

/* The manifest, one JSON object. */
void manifest_write(struct text *out);
#endif
