/*
 * taskhost_json.h - writing JSON in C: results, states of a task's own, signatures of other tasks. C99 and C++11 on.
 *
 *     task_json out = TASK_JSON;
 *     task_json_object(&out);
 *     task_json_key(&out, "name"), task_json_text(&out, name);
 *     task_json_key(&out, "sizes"), task_json_array(&out);
 *     task_json_int(&out, 800), task_json_end(&out);
 *     task_json_end(&out);
 *     return task_json_take(&out);              // as json_owned, or free() it
 *
 * Commas and escapes are written by these functions. Whatever went wrong (no memory, an end without a beginning) is told
 * once, by task_json_take, which gives NULL then: nothing needs to be looked at in between.
 */
#ifndef TASKHOST_JSON_H
#define TASKHOST_JSON_H
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TASK_JSON_DEPTH 64

typedef struct task_json {
    char *text;
    size_t length, room;
    int depth;
    bool failed;
    bool follows; /* a value stands before the next one, so a comma is due */
    char closing[TASK_JSON_DEPTH];
} task_json;
#ifdef __cplusplus
#define TASK_JSON task_json()
#else
#define TASK_JSON {0}
#endif

static inline void taskhost_json_put(task_json *json, const char *bytes, size_t length) {
    if (json->failed) {
        return;
    }
    if (json->length + length + 1 > json->room) {
        size_t room = (json->length + length + 1) * 2 + 64;
        char *text = (char *)realloc(json->text, room);
        if (!text) {
            json->failed = true;
            return;
        }
        json->text = text;
        json->room = room;
    }
    memcpy(json->text + json->length, bytes, length);
    json->length += length;
    json->text[json->length] = 0;
}
static inline void taskhost_json_comma(task_json *json) {
    if (json->follows) {
        taskhost_json_put(json, ",", 1);
    }
    json->follows = true;
}
static inline void taskhost_json_open(task_json *json, const char *bracket, char closing) {
    taskhost_json_comma(json);
    taskhost_json_put(json, bracket, 1);
    if (json->depth == TASK_JSON_DEPTH) {
        json->failed = true;
        return;
    }
    json->closing[json->depth++] = closing;
    json->follows = false;
}
static inline void taskhost_json_quoted(task_json *json, const char *text, size_t length) {
    size_t index;
    taskhost_json_put(json, "\"", 1);
    for (index = 0; index < length; index++) {
        unsigned char letter = (unsigned char)text[index];
        char escape[8];
        if (letter == '"' || letter == '\\') {
            escape[0] = '\\', escape[1] = (char)letter;
            taskhost_json_put(json, escape, 2);
        } else if (letter < 0x20) {
            snprintf(escape, sizeof escape, "\\u%04x", letter);
            taskhost_json_put(json, escape, 6);
        } else {
            taskhost_json_put(json, text + index, 1);
        }
    }
    taskhost_json_put(json, "\"", 1);
}

/* ---- values: into the array or behind the key that is open ---- */

static inline void task_json_object(task_json *json) { taskhost_json_open(json, "{", '}'); }
static inline void task_json_array(task_json *json) { taskhost_json_open(json, "[", ']'); }
/* Closes the object or array that was opened last. */
static inline void task_json_end(task_json *json) {
    if (json->depth == 0) {
        json->failed = true;
        return;
    }
    taskhost_json_put(json, &json->closing[--json->depth], 1);
    json->follows = true;
}
static inline void task_json_key(task_json *json, const char *key) {
    taskhost_json_comma(json);
    taskhost_json_quoted(json, key, strlen(key));
    taskhost_json_put(json, ":", 1);
    json->follows = false;
}
/* A value that is JSON already; NULL: null. */
static inline void task_json_raw(task_json *json, const char *text) {
    taskhost_json_comma(json);
    taskhost_json_put(json, text ? text : "null", text ? strlen(text) : 4);
}
static inline void task_json_null(task_json *json) { task_json_raw(json, NULL); }
static inline void task_json_bool(task_json *json, bool value) { task_json_raw(json, value ? "true" : "false"); }
static inline void task_json_int(task_json *json, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    task_json_raw(json, text);
}
/* Stays a float for whoever reads it: 2 is written as 2.0. Not finite: NaN, Infinity, as Python has them. */
static inline void task_json_double(task_json *json, double value) {
    char text[48];
    int digits;
    if (isnan(value) || isinf(value)) {
        task_json_raw(json, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
        return;
    }
    for (digits = 15; digits <= 17; digits++) { /* the shortest that reads back the same */
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    if (!strpbrk(text, ".e")) {
        strcat(text, ".0");
    }
    task_json_raw(json, text);
}
/* UTF-8; NULL: null. */
static inline void task_json_text(task_json *json, const char *text) {
    if (!text) {
        task_json_null(json);
        return;
    }
    taskhost_json_comma(json);
    taskhost_json_quoted(json, text, strlen(text));
}

/* ---- the end ---- */

/* The text, made with malloc; NULL: something went wrong, or it is not at its end. The writer can be used anew. */
static inline char *task_json_take(task_json *json) {
    char *text = json->failed || json->depth > 0 ? NULL : json->text;
    if (!text) {
        free(json->text);
    }
    memset(json, 0, sizeof *json);
    return text;
}

/* ---- signatures of other tasks, as task_send and task_replace take them; free() each ---- */

static inline void taskhost_json_signature(task_json *json, const char *task, const char *args, const char *kind) {
    task_json_object(json);
    task_json_key(json, "task"), task_json_text(json, task);
    task_json_key(json, "args"), task_json_raw(json, args ? args : "[]");
    task_json_key(json, "subtask_type"), task_json_text(json, kind);
    task_json_key(json, "immutable"), task_json_bool(json, false);
    task_json_key(json, "kwargs");
}
static inline void taskhost_json_list(task_json *json, const char *const *texts, size_t count) {
    size_t index;
    task_json_array(json);
    for (index = 0; index < count; index++) {
        task_json_raw(json, texts[index]);
    }
    task_json_end(json);
}
/* args: JSON array, NULL: none. kwargs, options ("queue", "countdown" ...): JSON objects, NULL: {}. */
static inline char *task_signature(const char *task, const char *args, const char *kwargs, const char *options) {
    task_json json = TASK_JSON;
    taskhost_json_signature(&json, task, args, NULL);
    task_json_raw(&json, kwargs ? kwargs : "{}");
    task_json_key(&json, "options"), task_json_raw(&json, options ? options : "{}");
    task_json_end(&json);
    return task_json_take(&json);
}
static inline char *taskhost_json_several(const char *task, const char *kind, const char *const *steps, size_t count) {
    task_json json = TASK_JSON;
    taskhost_json_signature(&json, task, NULL, kind);
    task_json_object(&json), task_json_key(&json, "tasks"), taskhost_json_list(&json, steps, count);
    task_json_end(&json);
    task_json_key(&json, "options"), task_json_raw(&json, "{}");
    task_json_end(&json);
    return task_json_take(&json);
}
/* One after the other, each with the result of the one before it as its first argument. */
static inline char *task_chain(const char *const *steps, size_t count) {
    return taskhost_json_several("celery.chain", "chain", steps, count);
}
/* At the same time. */
static inline char *task_group(const char *const *members, size_t count) {
    return taskhost_json_several("celery.group", "group", members, count);
}
/* At the same time, then `body` with the list of the results. */
static inline char *task_chord(const char *const *members, size_t count, const char *body) {
    task_json json = TASK_JSON;
    taskhost_json_signature(&json, "celery.chord", NULL, "chord");
    task_json_object(&json), task_json_key(&json, "header"), taskhost_json_list(&json, members, count);
    task_json_key(&json, "body"), task_json_raw(&json, body);
    task_json_key(&json, "kwargs"), task_json_raw(&json, "{}"), task_json_end(&json);
    task_json_key(&json, "options"), task_json_raw(&json, "{}");
    task_json_end(&json);
    return task_json_take(&json);
}
#endif
