/* convert - all arguments of one call, and all defaults of one task. */
#include "convert.h"

#include "arena.h"

#include <string.h>

static struct json_slice default_of(const struct parameter *parameter) {
    return (struct json_slice){parameter->default_json, strlen(parameter->default_json)};
}

bool convert_arguments(const struct task_entry *entry, const struct json_slice *bound, union value *values,
                       struct bind_fault *fault) {
    for (unsigned index = 0; index < entry->signature.count; index++) {
        const struct parameter *parameter = &entry->signature.parameters[index];
        if (parameter->type == TYPE_CONTEXT) {
            continue;
        }
        struct json_slice json = bound[index].text != NULL ? bound[index] : default_of(parameter);
        if (!convert_value(entry, parameter, json, &values[index], fault)) {
            text_append_format(&fault->where, "argument '%s' (%s) of %s", parameter->name, parameter->type_text,
                               entry->name);
            return false;
        }
    }
    return true;
}

bool convert_check_defaults(const struct task_entry *entry, struct text *fault) {
    bool fine = true;
    for (unsigned index = 0; index < entry->signature.count && fine; index++) {
        const struct parameter *parameter = &entry->signature.parameters[index];
        struct bind_fault found = {0};
        union value value;
        if (parameter->default_json != NULL) {
            fine = convert_value(entry, parameter, default_of(parameter), &value, &found);
        }
        if (!fine) {
            text_append_format(fault, "the default of '%s' is no %s: %s", parameter->name, parameter->type_text,
                               text_string(&found.message));
        }
        text_free(&found.message);
        text_free(&found.where);
    }
    arena_reset();
    return fine;
}
