/* schedules - what the bundle wants to be sent at set times: checked as far as possible here, and copied. The
 * host reads the texts of cron and timezone. */
#define _GNU_SOURCE
#include "json.h"
#include "registry.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REFUSED = 1 };

static void copy_text(const char **text) {
    if (*text != NULL) {
        char *copy = strdup(*text);
        if (copy == NULL) {
            out_of_memory(strlen(*text));
        }
        *text = copy;
    }
}

static bool is_json(const char *text, enum json_kind kind) {
    struct json_slice value;
    return text == NULL || (json_whole(text, strlen(text), &value) && json_kind(value) == kind);
}

static bool is_missed(const char *text) {
    return text == NULL || strcmp(text, "skip") == 0 || strcmp(text, "once") == 0 || strcmp(text, "all") == 0;
}

/* The full name of the task it sends; NULL: the bundle has no such task. */
static const char *task_name(const char *written) {
    for (uint32_t index = 0; index < registry.count; index++) {
        const struct task_entry *entry = registry.tasks[index];
        if (strcmp(entry->declared, written) == 0 || strcmp(entry->name, written) == 0) {
            return entry->name;
        }
    }
    return strchr(written, '.') != NULL ? written : NULL;
}

/* What is wrong with it, or NULL. */
static const char *fault_of(const taskhost_schedule *schedule) {
    if ((schedule->cron != NULL) == (schedule->every != 0)) {
        return "says when in no way, or in two: set one of cron and every";
    }
    if (!isfinite(schedule->every) || schedule->every < 0) {
        return "has a wrong every: it must be seconds, more than 0";
    }
    if (!isfinite(schedule->expires) || schedule->expires < 0) {
        return "has a wrong expires: it must be seconds, 0 or more";
    }
    if (!is_json(schedule->args, JSON_ARRAY)) {
        return "has wrong args: they must be a JSON array, such as [1, \"a\"]";
    }
    if (!is_json(schedule->kwargs, JSON_OBJECT)) {
        return "has wrong kwargs: they must be a JSON object, such as {\"width\": 3}";
    }
    if (!is_missed(schedule->missed)) {
        return "has a wrong missed: it must be skip, once or all";
    }
    if (schedule->priority < 0 || schedule->priority > 255) {
        return "has a wrong priority: it must be 0 to 255";
    }
    if (schedule->relative < TASKHOST_NO || schedule->relative > TASKHOST_YES) {
        return "has a wrong relative: it must be TASKHOST_YES, TASKHOST_NO or 0";
    }
    if (schedule->relative == TASKHOST_YES && schedule->cron != NULL) {
        return "is relative, which is about every: leave it out";
    }
    for (uint32_t index = 0; index < registry.schedule_count; index++) {
        if (strcmp(registry.schedules[index]->name, schedule->name) == 0) {
            return "is declared twice: give one of them another name";
        }
    }
    return NULL;
}

static void keep(taskhost_schedule *schedule) {
    size_t wanted = (registry.schedule_count + 1) * sizeof *registry.schedules;
    taskhost_schedule **schedules = realloc(registry.schedules, wanted);
    if (schedules == NULL) {
        out_of_memory(wanted);
    }
    registry.schedules = schedules;
    registry.schedules[registry.schedule_count++] = schedule;
}

int registry_schedule(const taskhost_schedule *schedule) {
    taskhost_schedule *known = calloc(1, sizeof *known);
    if (known == NULL) {
        out_of_memory(sizeof *known);
    }
    memcpy(known, schedule, schedule->size < sizeof *known ? schedule->size : sizeof *known);
    if (!registry.described) {
        text_append_string(&registry.fault, "adds a schedule before it describes itself: call describe first");
        return REFUSED;
    }
    if (known->name == NULL || known->name[0] == '\0' || known->task == NULL) {
        text_append_string(&registry.fault, "declares a schedule without a name or a task: set both");
        return REFUSED;
    }
    const char *written = known->task;
    known->name = registry_full_name(known->name);
    known->task = task_name(written);
    if (known->task == NULL) {
        text_append_format(&registry.fault,
                           "declares the schedule '%s' of the task '%s', which it does not have: declare the task first",
                           known->name, written);
        return REFUSED;
    }
    const char *fault = fault_of(known);
    if (fault != NULL) {
        text_append_format(&registry.fault, "declares the schedule '%s', which %s", known->name, fault);
        return REFUSED;
    }
    const char **texts[] = {&known->task, &known->cron,  &known->timezone, &known->args,
                            &known->kwargs, &known->queue, &known->missed};
    for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++) {
        copy_text(texts[index]);
    }
    keep(known);
    return 0;
}
