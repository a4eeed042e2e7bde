/* options - copying and checking them when the bundle registers. */
#define _GNU_SOURCE
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void copy_text(const char **text) {
    if (*text != NULL) {
        char *copy = strdup(*text);
        if (copy == NULL) {
            out_of_memory(strlen(*text));
        }
        *text = copy;
    }
}

void options_copy(taskhost_options *out, const taskhost_options *options) {
    *out = (taskhost_options){0};
    if (options == NULL) {
        return;
    }
    memcpy(out, options, options->size < sizeof *out ? options->size : sizeof *out);
    copy_text(&out->name);
    copy_text(&out->queue);
    copy_text(&out->rate_limit);
    copy_text(&out->doc);
    copy_text(&out->limit_scope);
    copy_text(&out->limit_key);
    copy_text(&out->autoretry_for);
    copy_text(&out->dont_autoretry_for);
}

/* "10", "10/s", "0.5/m", "1000/h" */
static bool is_rate(const char *text) {
    char unit;
    double count;
    int end = 0;
    if (sscanf(text, "%lf/%c%n", &count, &unit, &end) == 2 && text[end] == '\0') {
        return isfinite(count) && count >= 0 && strchr("smh", unit) != NULL;
    }
    end = 0;
    return sscanf(text, "%lf%n", &count, &end) == 1 && text[end] == '\0' && isfinite(count) && count >= 0;
}

/* "url", "url:domain", "0": of an argument the task has. */
static bool is_key(const char *text, const struct signature *signature, bool typed) {
    size_t length = strcspn(text, ":");
    if (length == 0 || (text[length] != '\0' && strcmp(text + length, ":domain") != 0)) {
        return false;
    }
    bool is_position = strspn(text, "0123456789") == length;
    bool found = !typed;
    unsigned position = 0;
    for (unsigned index = 0; index < signature->count; index++) {
        const struct parameter *parameter = &signature->parameters[index];
        if (parameter->type == TYPE_CONTEXT) {
            continue;
        }
        found = found || (is_position ? strtoul(text, NULL, 10) == position
                                      : strlen(parameter->name) == length && memcmp(parameter->name, text, length) == 0);
        position++;
    }
    return found;
}

static bool check_limits(const taskhost_options *options, const struct signature *signature, bool typed,
                         struct text *fault) {
    if (options->rate_limit != NULL && !is_rate(options->rate_limit)) {
        text_append_format(fault, "rate_limit is '%s', it must look like 10/s, 100/m or 1000/h", options->rate_limit);
        return false;
    }
    const char *scope = options->limit_scope;
    if (scope != NULL && strcmp(scope, "worker") != 0 && strcmp(scope, "global") != 0) {
        text_append_format(fault, "limit_scope is '%s', it must be worker or global", scope);
        return false;
    }
    if (options->limit_key != NULL && !is_key(options->limit_key, signature, typed)) {
        text_append_format(fault, "limit_key is '%s', it must be an argument's name or its position, or url:domain",
                           options->limit_key);
        return false;
    }
    return true;
}

bool options_check(const taskhost_options *options, const struct signature *signature, bool typed, struct text *fault) {
    const struct {
        const char *name;
        double value;
    } seconds[] = {
        {"soft_limit", options->soft_limit},       {"hard_limit", options->hard_limit},
        {"retry_delay", options->retry_delay},     {"retry_backoff", options->retry_backoff},
        {"retry_backoff_max", options->retry_backoff_max},
    };
    for (size_t index = 0; index < sizeof seconds / sizeof seconds[0]; index++) {
        if (!isfinite(seconds[index].value) || seconds[index].value < 0) {
            text_append_format(fault, "%s is %g, it must be seconds, 0 or more", seconds[index].name,
                               seconds[index].value);
            return false;
        }
    }
    if (options->soft_limit > 0 && options->hard_limit > 0 && options->soft_limit >= options->hard_limit) {
        text_append_format(fault, "soft_limit %g must be less than hard_limit %g", options->soft_limit,
                           options->hard_limit);
        return false;
    }
    const struct {
        const char *name;
        int32_t value;
    } switches[] = {
        {"retry_jitter", options->retry_jitter},   {"autoretry", options->autoretry},
        {"acks_late", options->acks_late},         {"track_started", options->track_started},
        {"ignore_result", options->ignore_result}, {"takes_failure", options->takes_failure},
        {"acks_on_failure", options->acks_on_failure},
        {"acks_on_timeout", options->acks_on_timeout},
        {"reject_on_worker_lost", options->reject_on_worker_lost},
        {"store_errors_even_if_ignored", options->store_errors_even_if_ignored},
    };
    for (size_t index = 0; index < sizeof switches / sizeof switches[0]; index++) {
        if (switches[index].value < TASKHOST_NO || switches[index].value > TASKHOST_YES) {
            text_append_format(fault, "%s is %d, it must be TASKHOST_YES, TASKHOST_NO or 0", switches[index].name,
                               switches[index].value);
            return false;
        }
    }
    if (options->max_retries < TASKHOST_NEVER || options->max_starts < 0 || options->keep < 0 ||
        options->memory_limit < 0 || options->max_concurrent < 0) {
        const char *name = options->keep < 0             ? "keep"
                           : options->max_starts < 0     ? "max_starts"
                           : options->memory_limit < 0   ? "memory_limit"
                           : options->max_concurrent < 0 ? "max_concurrent"
                                                         : "max_retries";
        text_append_format(fault, "%s must not be negative%s", name,
                           options->max_retries < TASKHOST_NEVER ? " (TASKHOST_NEVER is -1)" : "");
        return false;
    }
    return check_limits(options, signature, typed, fault);
}
