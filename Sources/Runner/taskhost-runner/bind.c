/* bind - which value goes where; the rules, their order and the words are those of a Python function call. */
#include "bind.h"

#include "arena.h"

#include <stdio.h>
#include <string.h>

struct binding {
    const struct task_entry *entry;
    const struct parameter *parameters; /* without the context */
    unsigned count, positional;
    struct json_slice given[MAX_PARAMETERS]; /* text NULL: not given */
};

__attribute__((format(printf, 2, 3))) static bool type_error(struct bind_fault *fault, const char *format, ...) {
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    fault->type = "TypeError";
    text_append_string(&fault->message, message);
    return false;
}

static bool take_positional(struct binding *binding, struct json_slice args, struct bind_fault *fault) {
    if (json_kind(args) != JSON_ARRAY) {
        return type_error(fault, "%s() argument after * must be an iterable, not %s", binding->entry->function_name,
                          json_python_type(args));
    }
    struct json_cursor in = {args.text + 1, args.text + args.length};
    while (!json_take(&in, ']')) {
        struct json_slice value;
        json_take(&in, ',');
        json_value(&in, &value);
        if (binding->positional < binding->count) {
            binding->given[binding->positional] = value;
        }
        binding->positional++;
    }
    return true;
}

static bool take_keyword(struct binding *binding, struct json_slice key, struct json_slice value,
                         struct bind_fault *fault) {
    for (unsigned index = 0; index < binding->count; index++) {
        if (json_string_equals(key, binding->parameters[index].name)) {
            if (index < binding->positional) {
                return type_error(fault, "%s() got multiple values for argument '%s'", binding->entry->function_name,
                                  binding->parameters[index].name);
            }
            binding->given[index] = value; /* of two equal keys the later counts, as in Python's json */
            return true;
        }
    }
    return type_error(fault, "%s() got an unexpected keyword argument '%.*s'", binding->entry->function_name,
                      (int)key.length - 2, key.text + 1);
}

static bool take_keywords(struct binding *binding, struct json_slice kwargs, struct bind_fault *fault) {
    if (json_kind(kwargs) != JSON_OBJECT) {
        return type_error(fault, "%s() argument after ** must be a mapping, not %s", binding->entry->function_name,
                          json_python_type(kwargs));
    }
    struct json_cursor in = {kwargs.text + 1, kwargs.text + kwargs.length};
    while (!json_take(&in, '}')) {
        struct json_slice key, value;
        json_take(&in, ',');
        json_value(&in, &key);
        json_take(&in, ':');
        json_value(&in, &value);
        if (!take_keyword(binding, key, value, fault)) {
            return false;
        }
    }
    return true;
}

static bool check_not_too_many(const struct binding *binding, struct bind_fault *fault) {
    if (binding->positional <= binding->count) {
        return true;
    }
    unsigned required = 0;
    while (required < binding->count && binding->parameters[required].default_json == NULL) {
        required++;
    }
    char from[24] = "";
    bool plural = binding->count != 1;
    if (required < binding->count) {
        snprintf(from, sizeof from, "from %u to ", required);
        plural = true;
    }
    return type_error(fault, "%s() takes %s%u positional argument%s but %u %s given", binding->entry->function_name,
                      from, binding->count, plural ? "s" : "", binding->positional,
                      binding->positional == 1 ? "was" : "were");
}

static bool check_none_missing(const struct binding *binding, struct bind_fault *fault) {
    unsigned missing[MAX_PARAMETERS], count = 0;
    for (unsigned index = 0; index < binding->count; index++) {
        if (binding->given[index].text == NULL && binding->parameters[index].default_json == NULL) {
            missing[count++] = index;
        }
    }
    if (count == 0) {
        return true;
    }
    fault->type = "TypeError";
    text_append_format(&fault->message, "%s() missing %u required positional argument%s: ",
                       binding->entry->function_name, count, count == 1 ? "" : "s");
    for (unsigned index = 0; index < count; index++) {
        const char *before = index == 0 ? "" : index + 1 < count ? ", " : count == 2 ? " and " : ", and ";
        text_append_format(&fault->message, "%s'%s'", before, binding->parameters[missing[index]].name);
    }
    return false;
}

static bool open_body(const char *body, size_t length, struct json_slice *args, struct json_slice *kwargs,
                      struct bind_fault *fault) {
    struct json_cursor in = {body, body + length};
    if (json_take(&in, '[') && json_value(&in, args) && json_take(&in, ',') && json_value(&in, kwargs)) {
        return true;
    }
    fault->type = "ValueError";
    text_append_string(&fault->message, "the body is no [args, kwargs, embed]");
    return false;
}

bool bind_arguments(const struct task_entry *entry, const char *body, size_t length, union value *values,
                    struct bind_fault *fault) {
    const struct signature *signature = &entry->signature;
    unsigned skipped = signature->count > 0 && signature->parameters[0].type == TYPE_CONTEXT ? 1 : 0;
    struct binding binding = {entry, signature->parameters + skipped, signature->count - skipped, 0, {{0}}};
    struct json_slice args, kwargs;
    if (!open_body(body, length, &args, &kwargs, fault) || !take_positional(&binding, args, fault) ||
        !take_keywords(&binding, kwargs, fault) || !check_not_too_many(&binding, fault) ||
        !check_none_missing(&binding, fault)) {
        return false;
    }
    for (unsigned index = 0; index < binding.count; index++) {
        const struct parameter *parameter = &binding.parameters[index];
        struct json_slice json = binding.given[index];
        if (json.text == NULL) {
            json = (struct json_slice){parameter->default_json, strlen(parameter->default_json)};
        }
        if (!convert_value(entry, parameter, json, &values[skipped + index], fault)) {
            text_append_format(&fault->where, "argument '%s' (%s) of %s", parameter->name, parameter->type_text,
                               entry->name);
            return false;
        }
    }
    return true;
}

bool bind_check_defaults(const struct task_entry *entry, struct text *fault) {
    bool fine = true;
    for (unsigned index = 0; index < entry->signature.count && fine; index++) {
        const struct parameter *parameter = &entry->signature.parameters[index];
        struct bind_fault found = {0};
        union value value;
        if (parameter->default_json != NULL) {
            struct json_slice json = {parameter->default_json, strlen(parameter->default_json)};
            fine = convert_value(entry, parameter, json, &value, &found);
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
