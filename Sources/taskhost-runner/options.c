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

bool options_check(const taskhost_options *options, struct text *fault) {
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
    };
    for (size_t index = 0; index < sizeof switches / sizeof switches[0]; index++) {
        if (switches[index].value < TASKHOST_NO || switches[index].value > TASKHOST_YES) {
            text_append_format(fault, "%s is %d, it must be TASKHOST_YES, TASKHOST_NO or 0", switches[index].name,
                               switches[index].value);
            return false;
        }
    }
    if (options->max_retries < TASKHOST_NEVER || options->max_starts < 0 || options->keep < 0 ||
        options->memory_limit < 0) {
        const char *name = options->keep < 0           ? "keep"
                           : options->max_starts < 0   ? "max_starts"
                           : options->memory_limit < 0 ? "memory_limit"
                                                       : "max_retries";
        text_append_format(fault, "%s must not be negative%s", name,
                           options->max_retries < TASKHOST_NEVER ? " (TASKHOST_NEVER is -1)" : "");
        return false;
    }
    if (options->rate_limit != NULL && !is_rate(options->rate_limit)) {
        text_append_format(fault, "rate_limit is '%s', it must look like 10/s, 100/m or 1000/h", options->rate_limit);
        return false;
    }
    return true;
}
