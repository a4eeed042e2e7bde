/* taskhost_testing_bind.h - arguments to parameters, for taskhost_testing.h: what the runner does, without a runner. */
#ifndef TASKHOST_TESTING_BIND_H
#define TASKHOST_TESTING_BIND_H
#include "taskhost.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline const char *taskhost_test_space(const char *at) { return at + strspn(at, " \t\r\n"); }

/* Behind the JSON value that begins here; NULL: there is none. */
static inline const char *taskhost_test_value(const char *at) {
    int depth = 0;
    at = taskhost_test_space(at);
    if (!*at || strchr(",]}:", *at)) {
        return NULL;
    }
    for (; *at; at++) {
        if (*at == '"') {
            for (at++; *at && *at != '"'; at++) {
                if (*at == '\\' && at[1]) {
                    at++;
                }
            }
            if (!*at) {
                return NULL;
            }
        } else if (strchr("[{(", *at)) {
            depth++;
        } else if (strchr("]})", *at)) {
            if (depth == 0) {
                return at;
            }
            depth--;
        } else if ((*at == ',' || *at == ':') && depth == 0) {
            return at;
        }
        if (depth == 0 && strchr("]}\"", *at)) {
            return at + 1;
        }
    }
    return depth == 0 ? at : NULL;
}

struct taskhost_test_parameter {
    const char *name;
    int length, stars;
    bool has_default;
    const char *fallback;
    size_t fallback_length;
};

/* "x:f64,*rest:[f64],y:f64=0.5->f64", without a context. How many. */
static inline int taskhost_test_parameters(const char *text, struct taskhost_test_parameter *made, int most) {
    int count = 0;
    while (*text && strncmp(text, "->", 2) != 0 && count < most) {
        struct taskhost_test_parameter *one = &made[count];
        int depth = 0;
        memset(one, 0, sizeof *one);
        for (text = taskhost_test_space(text); *text == '*'; text++) {
            one->stars++;
        }
        one->name = text;
        one->length = (int)strcspn(text, ":=,-");
        text += one->length;
        for (; *text && !(depth == 0 && (*text == ',' || *text == '=' || strncmp(text, "->", 2) == 0)); text++) {
            depth += strchr("[(", *text) ? 1 : strchr("])", *text) ? -1 : 0;
        }
        if (*text == '=') {
            const char *end = taskhost_test_value(++text);
            const char *arrow = strstr(text, "->");
            if (arrow && (!end || arrow < end)) {
                end = arrow;
            }
            one->has_default = true;
            one->fallback = text;
            one->fallback_length = (size_t)((end ? end : text + strlen(text)) - text);
            text = end ? end : text + strlen(text);
        }
        text = taskhost_test_space(text);
        if (one->length != 4 || strncmp(one->name, "task", 4) != 0 || strncmp(one->name + 4, ":context", 8) != 0) {
            count++;
        }
        if (*text == ',') {
            text++;
        }
    }
    return count;
}

static inline bool taskhost_test_join(char **text, const char *more, size_t length, const char *closing) {
    size_t before = *text ? strlen(*text) : 0;
    char *grown = (char *)realloc(*text, before + length + strlen(closing) + 3);
    if (!grown) {
        return false;
    }
    if (before > 2) { /* before the bracket that closes it, behind a comma */
        before -= 1;
        grown[before++] = ',';
    } else if (before == 2) {
        before = 1;
    } else {
        grown[before++] = closing[0] == ']' ? '[' : '{';
    }
    memcpy(grown + before, more, length);
    strcpy(grown + before + length, closing);
    *text = grown;
    return true;
}

/* One slice for each parameter; how many, or -1 and a complaint. */
static inline int taskhost_test_arguments(const char *signature, const char *body, taskhost_slice *slices, char **joined,
                                          int most, char *complaint, size_t room) {
    static struct taskhost_test_parameter parameters[256];
    int count = taskhost_test_parameters(signature, parameters, most < 256 ? most : 256), index, given = 0;
    const char *at = taskhost_test_space(body), *end;
    for (index = 0; index < 2; index++) {
        free(joined[index]);
        joined[index] = NULL;
    }
    memset(slices, 0, (size_t)most * sizeof *slices);
    if (*at != '[' || *(at = taskhost_test_space(at + 1)) != '[') {
        snprintf(complaint, room, "the body is no [args, kwargs, embed]");
        return -1;
    }
    for (at = taskhost_test_space(at + 1); *at && *at != ']'; at = taskhost_test_space(*end == ',' ? end + 1 : end)) {
        if (!(end = taskhost_test_value(at))) {
            break;
        }
        if (given < count && parameters[given].stars == 0) {
            slices[given].text = at;
            slices[given++].length = (size_t)(end - at);
        } else if (given < count && parameters[given].stars == 1) {
            taskhost_test_join(&joined[0], at, (size_t)(end - at), "]");
        } else {
            snprintf(complaint, room, "takes %d positional arguments but more were given", count);
            return -1;
        }
        end = taskhost_test_space(end);
    }
    at = *at == ']' ? taskhost_test_space(at + 1) : at;
    at = *at == ',' ? taskhost_test_space(at + 1) : at;
    for (at = *at == '{' ? taskhost_test_space(at + 1) : at; *at == '"'; at = taskhost_test_space(*end == ',' ? end + 1 : end)) {
        const char *key = at + 1, *close = taskhost_test_value(at), *value;
        if (!close || *(value = taskhost_test_space(close)) != ':') {
            break;
        }
        value = taskhost_test_space(value + 1);
        if (!(end = taskhost_test_value(value))) {
            break;
        }
        for (index = 0; index < count; index++) {
            if (parameters[index].stars == 0 && parameters[index].length == (int)(close - key - 1) &&
                strncmp(parameters[index].name, key, (size_t)parameters[index].length) == 0) {
                break;
            }
        }
        if (index < count && slices[index].text) {
            snprintf(complaint, room, "got multiple values for argument '%.*s'", (int)(close - key - 1), key);
            return -1;
        } else if (index < count) {
            slices[index].text = value;
            slices[index].length = (size_t)(end - value);
        } else if (count > 0 && parameters[count - 1].stars == 2) {
            taskhost_test_join(&joined[1], at, (size_t)(end - at), "}");
        } else {
            snprintf(complaint, room, "got an unexpected keyword argument '%.*s'", (int)(close - key - 1), key);
            return -1;
        }
        end = taskhost_test_space(end);
    }
    for (index = 0; index < count; index++) {
        struct taskhost_test_parameter *one = &parameters[index];
        if (one->stars > 0) {
            slices[index].text = joined[one->stars - 1] ? joined[one->stars - 1] : one->stars == 1 ? "[]" : "{}";
            slices[index].length = strlen(slices[index].text);
        } else if (!slices[index].text && !one->has_default) {
            snprintf(complaint, room, "missing 1 required positional argument: '%.*s'", one->length, one->name);
            return -1;
        }
    }
    return count;
}
#endif
