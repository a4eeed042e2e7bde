/* registry - what the bundle said of itself while loading. */
#ifndef RUNNER_REGISTRY_H
#define RUNNER_REGISTRY_H
#include "signature.h"
#include "taskhost_abi.h"

struct task_entry {
    char *name;
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
    struct text fault; /* why a call was refused; stands behind the file's name */
};

extern struct registry registry;

/* taskhost_host.describe and .add */
int registry_describe(const taskhost_bundle_info *info);
int registry_add(const taskhost_task *task);

/* The manifest, one JSON object. */
void manifest_write(struct text *out);
#endif
