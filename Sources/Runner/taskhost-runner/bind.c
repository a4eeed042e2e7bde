/* bind - which value goes where; the rules, their order and the words are those of a Python function call. */
#include "bind.h"

#include "arena.h"

#include <stdio.h>
#include <string.h>

struct binding {
    const struct task_entry *entry;
    const struct parameter *parameters; /* that take one argument, without the context */
    struct json_slice *bound;           /* theirs; text NULL: not given */
    unsigned count, positional;
    struct json_slice *rest, *named; /* of what is left over; NULL: no parameter takes it */
};

__attribute__((format(printf, 2, 3))) static bool type_error(struct bind_fault *fault, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    text_append_arguments(&fault->message, format, arguments);
    va_end(arguments);
    fault->type = "TypeError";
    return false;
}

static bool take_positional(struct binding *binding, struct json_slice args, struct bind_fault *fault) {
    if (json_kind(args) != JSON_ARRAY) {
        return type_error(fault, "%s() argument after * must be an iterable, not %s", binding->entry->function_name,
                          json_python_type(args));
    }
    struct json_cursor in = {args.text + 1, args.text + args.length};
    struct json_slice left_over = {0};
    while (!json_take(&in, ']')) {
        struct json_slice value;
        json_take(&in, ',');
        json_value(&in, &value);
        if (binding->positional < binding->count) {
            binding->bound[binding->positional] = value;
        } else {
            left_over.text = left_over.text != NULL ? left_over.text : value.text;
            left_over.length = (size_t)(in.at - left_over.text);
        }
        binding->positional++;
    }
    if (binding->rest != NULL) {
        char *array = arena_take(left_over.length + 2);
        array[0] = '[';
        if (left_over.length > 0) {
            memcpy(array + 1, left_over.text, left_over.length);
        }
        array[left_over.length + 1] = ']';
        *binding->rest = (struct json_slice){array, left_over.length + 2};
    }
    return true;
}

/* What a key says: in place, or without its escapes in the arena. As it is written where it says half of a surrogate
 * pair, or NUL, which no text of ours can hold. */
static struct json_slice read_key(struct json_slice key) {
    struct json_slice text = {key.text + 1, key.length - 2};
    if (memchr(text.text, '\\', text.length) != NULL) {
        char *decoded = arena_take(key.length);
        size_t length;
        if (json_decode_string(key, decoded, &length) == JSON_TEXT_FINE) {
            text = (struct json_slice){decoded, length};
        }
    }
    return text;
}

static unsigned find_parameter(const struct binding *binding, struct json_slice name) {
    unsigned index = 0;
    while (index < binding->count && (strlen(binding->parameters[index].name) != name.length ||
                                      memcmp(binding->parameters[index].name, name.text, name.length) != 0)) {
        index++;
    }
    return index;
}

/* Appends "key": value to the object that begins at `object` and ends, without its brace, at `end`; the new end. */
static char *append_member(const char *object, char *end, const char *member, size_t length) {
    *end = end == object ? '{' : ',';
    memcpy(end + 1, member, length);
    return end + 1 + length;
}

static bool take_keywords(struct binding *binding, struct json_slice kwargs, struct bind_fault *fault) {
    const char *function = binding->entry->function_name;
    if (json_kind(kwargs) != JSON_OBJECT) {
        return type_error(fault, "%s() argument after ** must be a mapping, not %s", function,
                          json_python_type(kwargs));
    }
    struct json_cursor in = {kwargs.text + 1, kwargs.text + kwargs.length};
    /* What is left over is no longer than the whole. */
    char *left_over = binding->named != NULL ? arena_take(kwargs.length) : NULL, *end = left_over;
    while (!json_take(&in, '}')) {
        struct json_slice key, value;
        json_take(&in, ',');
        json_value(&in, &key);
        json_take(&in, ':');
        json_value(&in, &value);
        struct json_slice name = read_key(key);
        unsigned index = find_parameter(binding, name);
        if (index < binding->positional && index < binding->count) {
            return type_error(fault, "%s() got multiple values for argument '%s'", function,
                              binding->parameters[index].name);
        }
        if (index < binding->count) {
            binding->bound[index] = value; /* of two equal keys the later counts, as in Python's json */
        } else if (left_over != NULL) {
            end = append_member(left_over, end, key.text, (size_t)(in.at - key.text));
        } else {
            return type_error(fault, "%s() got an unexpected keyword argument '%.*s'", function, (int)name.length,
                              name.text);
        }
    }
    if (left_over != NULL) {
        end = end == left_over ? append_member(left_over, end, "", 0) : end;
        *end++ = '}';
        *binding->named = (struct json_slice){left_over, (size_t)(end - left_over)};
    }
    return true;
}

static bool check_not_too_many(const struct binding *binding, struct bind_fault *fault) {
    if (binding->positional <= binding->count || binding->rest != NULL) {
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
        if (binding->bound[index].text == NULL && binding->parameters[index].default_json == NULL) {
            missing[count++] = index;
        }
    }
    if (count == 0) {
        return true;
    }
    type_error(fault, "%s() missing %u required positional argument%s: ", binding->entry->function_name, count,
               count == 1 ? "" : "s");
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

static struct binding binding_of(const struct task_entry *entry, struct json_slice *bound) {
    const struct parameter *parameters = entry->signature.parameters;
    unsigned first = 0, end = entry->signature.count;
    struct binding binding = {.entry = entry};
    memset(bound, 0, end * sizeof *bound);
    if (end > 0 && parameters[0].type == TYPE_CONTEXT) {
        first = 1;
    }
    if (end > first && parameters[end - 1].kind == PARAMETER_NAMED) {
        binding.named = &bound[--end];
    }
    if (end > first && parameters[end - 1].kind == PARAMETER_REST) {
        binding.rest = &bound[--end];
    }
    binding.parameters = parameters + first;
    binding.bound = bound + first;
    binding.count = end - first;
    return binding;
}

bool bind_call(const struct task_entry *entry, const char *body, size_t length, struct json_slice *bound,
               struct bind_fault *fault) {
    struct binding binding = binding_of(entry, bound);
    struct json_slice args, kwargs;
    return open_body(body, length, &args, &kwargs, fault) && take_positional(&binding, args, fault) &&
           take_keywords(&binding, kwargs, fault) && check_not_too_many(&binding, fault) &&
           check_none_missing(&binding, fault);
}
