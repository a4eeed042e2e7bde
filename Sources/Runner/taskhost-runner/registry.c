/* registry - describe and add: everything is checked and copied, the bundle may forget it. */
#define _GNU_SOURCE
#include "registry.h"

#include "convert.h"
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct registry registry;

enum { REFUSED = 1 };

static char *copy_text(const char *string) {
    char *copy = strdup(string != NULL ? string : "");
    if (copy == NULL) {
        out_of_memory(strlen(string));
    }
    return copy;
}

int registry_describe(const taskhost_bundle_info *info) {
    if (registry.described) {
        text_append_string(&registry.fault, "describes itself twice: call describe once");
        return REFUSED;
    }
    taskhost_bundle_info known = {0};
    memcpy(&known, info, info->size < sizeof known ? info->size : sizeof known);
    if (known.abi_major != TASKHOST_ABI_MAJOR || known.abi_minor > TASKHOST_ABI_MINOR) {
        bool newer = known.abi_major > TASKHOST_ABI_MAJOR || known.abi_major == TASKHOST_ABI_MAJOR;
        text_append_format(&registry.fault,
                           "was built for taskhost ABI %u.%u (SDK %s), this taskhost speaks ABI %d.%d: %s",
                           known.abi_major, known.abi_minor, known.sdk != NULL ? known.sdk : "unknown",
                           TASKHOST_ABI_MAJOR, TASKHOST_ABI_MINOR,
                           newer ? "install a newer taskhost, or build the bundle with this one's SDK"
                                 : "build the bundle again with this taskhost's SDK");
        return REFUSED;
    }
    if (known.name == NULL || known.name[0] == '\0') {
        text_append_string(&registry.fault, "has no name: give TASKHOST_BUNDLE one");
        return REFUSED;
    }
    registry.described = true;
    registry.name = copy_text(known.name);
    registry.version = copy_text(known.version);
    registry.sdk = copy_text(known.sdk);
    registry.abi_major = known.abi_major;
    registry.abi_minor = known.abi_minor;
    return 0;
}

int registry_refuse(const char *why) {
    text_append_string(&registry.fault, why != NULL && why[0] != '\0' ? why : "cannot be used, and does not say why");
    return REFUSED;
}

char *registry_full_name(const char *name) {
    if (strchr(name, '.') != NULL) {
        return copy_text(name);
    }
    char *full = NULL;
    if (asprintf(&full, "%s.%s", registry.name, name) < 0) {
        out_of_memory(strlen(name));
    }
    return full;
}

static struct task_entry *next_entry(void) {
    if (registry.count == registry.capacity) {
        uint32_t capacity = registry.capacity ? registry.capacity * 2 : 16;
        struct task_entry **tasks = realloc(registry.tasks, capacity * sizeof *tasks);
        if (tasks == NULL) {
            out_of_memory(capacity * sizeof *tasks);
        }
        registry.tasks = tasks;
        registry.capacity = capacity;
    }
    struct task_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL) {
        out_of_memory(sizeof *entry);
    }
    registry.tasks[registry.count] = entry;
    return entry;
}

static bool check_task(struct task_entry *entry, const taskhost_task *task) {
    for (uint32_t index = 0; index < registry.count; index++) {
        if (strcmp(registry.tasks[index]->name, entry->name) == 0) {
            text_append_format(&registry.fault, "declares the task '%s' twice: give one of them another .name",
                               entry->name);
            return false;
        }
    }
    if ((task->function == NULL) == (task->handler == NULL)) {
        text_append_format(&registry.fault, "declares the task '%s' with %s: set exactly one of them", entry->name,
                           task->function == NULL ? "neither function nor handler" : "both function and handler");
        return false;
    }
    struct text fault = {0};
    const char *signature = task->signature != NULL ? task->signature : "";
    bool fine = signature_parse(&entry->signature, signature, task->function != NULL, &fault) &&
                (task->function == NULL || convert_check_defaults(entry, &fault));
    if (!fine) {
        text_append_format(&registry.fault, "declares the task '%s' with the signature '%s', which is wrong: %s",
                           entry->name, signature, text_string(&fault));
    } else if (!options_check(&entry->options, &entry->signature, task->function != NULL, &fault)) {
        fine = false;
        text_append_format(&registry.fault, "declares the task '%s' with a wrong option: %s", entry->name,
                           text_string(&fault));
    }
    text_free(&fault);
    return fine;
}

int registry_add(const taskhost_task *task) {
    if (!registry.described) {
        text_append_string(&registry.fault, "adds a task before it describes itself: call describe first");
        return REFUSED;
    }
    taskhost_task known = {0};
    memcpy(&known, task, task->size < sizeof known ? task->size : sizeof known);
    if (known.name == NULL || known.name[0] == '\0') {
        text_append_string(&registry.fault, "declares a task without a name: set taskhost_task.name");
        return REFUSED;
    }
    struct task_entry *entry = next_entry();
    *entry = (struct task_entry){.function = known.function, .handler = known.handler, .user = known.user};
    options_copy(&entry->options, known.options);
    /* The options' name is taken as it is. */
    entry->name = entry->options.name != NULL ? copy_text(entry->options.name) : registry_full_name(known.name);
    entry->declared = copy_text(known.name);
    const char *dot = strrchr(entry->name, '.');
    entry->function_name = dot != NULL ? dot + 1 : entry->name;
    if (!check_task(entry, &known)) {
        return REFUSED;
    }
    registry.count++;
    return 0;
}

int registry_at_exit(void (*leave)(void)) {
    if (leave == NULL || registry.leave != NULL) {
        text_append_string(&registry.fault, "sets no function for the end of its children, or a second one: set one, once");
        return REFUSED;
    }
    registry.leave = leave;
    return 0;
}
