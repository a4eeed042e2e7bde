/* manifest - the registry as JSON for the host. */
#include "registry.h"

#include <string.h>

static void member(struct text *out, const char *name) {
    if (out->bytes[out->length - 1] != '{') {
        text_append(out, ",", 1);
    }
    text_append_format(out, "\"%s\":", name);
}

static void string_member(struct text *out, const char *name, const char *value) {
    if (value != NULL) {
        member(out, name);
        text_append_json_string(out, value, strlen(value));
    }
}

static void seconds_member(struct text *out, const char *name, double value) {
    if (value > 0) {
        member(out, name);
        text_append_json_double(out, value);
    }
}

static void count_member(struct text *out, const char *name, int32_t value) {
    if (value > 0) {
        member(out, name);
        text_append_format(out, "%d", value);
    }
}

static void switch_member(struct text *out, const char *name, int32_t value) {
    if (value != 0) {
        member(out, name);
        text_append_string(out, value == TASKHOST_YES ? "true" : "false");
    }
}

static void write_options(struct text *out, const taskhost_options *options) {
    text_append(out, "{", 1);
    seconds_member(out, "soft_limit", options->soft_limit);
    seconds_member(out, "hard_limit", options->hard_limit);
    if (options->max_retries == TASKHOST_UNLIMITED) {
        string_member(out, "max_retries", "unlimited");
    } else if (options->max_retries != 0) {
        member(out, "max_retries");
        text_append_format(out, "%d", options->max_retries == TASKHOST_NEVER ? 0 : options->max_retries);
    }
    seconds_member(out, "retry_delay", options->retry_delay);
    seconds_member(out, "retry_backoff", options->retry_backoff);
    seconds_member(out, "retry_backoff_max", options->retry_backoff_max);
    switch_member(out, "retry_jitter", options->retry_jitter);
    switch_member(out, "autoretry", options->autoretry);
    string_member(out, "autoretry_for", options->autoretry_for);
    string_member(out, "dont_autoretry_for", options->dont_autoretry_for);
    switch_member(out, "acks_late", options->acks_late);
    switch_member(out, "acks_on_failure", options->acks_on_failure);
    switch_member(out, "acks_on_timeout", options->acks_on_timeout);
    switch_member(out, "reject_on_worker_lost", options->reject_on_worker_lost);
    switch_member(out, "track_started", options->track_started);
    switch_member(out, "ignore_result", options->ignore_result);
    switch_member(out, "store_errors_even_if_ignored", options->store_errors_even_if_ignored);
    switch_member(out, "takes_failure", options->takes_failure);
    count_member(out, "max_starts", options->max_starts);
    count_member(out, "keep", options->keep);
    count_member(out, "memory_limit", options->memory_limit);
    string_member(out, "queue", options->queue);
    string_member(out, "rate_limit", options->rate_limit);
    count_member(out, "max_concurrent", options->max_concurrent);
    string_member(out, "limit_scope", options->limit_scope);
    string_member(out, "limit_key", options->limit_key);
    string_member(out, "doc", options->doc);
    text_append(out, "}", 1);
}

static void write_parameters(struct text *out, const struct signature *signature) {
    text_append(out, "[", 1);
    for (unsigned index = 0; index < signature->count; index++) {
        const struct parameter *parameter = &signature->parameters[index];
        if (parameter->type == TYPE_CONTEXT) {
            continue;
        }
        text_append_string(out, out->bytes[out->length - 1] == '[' ? "{" : ",{");
        member(out, "name");
        text_append_format(out, "\"%s%s\"", signature_stars(parameter->kind), parameter->name);
        string_member(out, "type", parameter->type_text);
        if (parameter->default_json != NULL) {
            member(out, "default");
            text_append_string(out, parameter->default_json);
        }
        text_append(out, "}", 1);
    }
    text_append(out, "]", 1);
}

static void raw_member(struct text *out, const char *name, const char *json) {
    if (json != NULL) {
        member(out, name);
        text_append_string(out, json);
    }
}

static void write_schedules(struct text *out) {
    text_append(out, "[", 1);
    for (uint32_t index = 0; index < registry.schedule_count; index++) {
        const taskhost_schedule *schedule = registry.schedules[index];
        text_append_string(out, index == 0 ? "{" : ",{");
        string_member(out, "name", schedule->name);
        string_member(out, "task", schedule->task);
        string_member(out, "cron", schedule->cron);
        seconds_member(out, "every", schedule->every);
        switch_member(out, "relative", schedule->relative);
        string_member(out, "timezone", schedule->timezone);
        raw_member(out, "args", schedule->args);
        raw_member(out, "kwargs", schedule->kwargs);
        string_member(out, "queue", schedule->queue);
        string_member(out, "missed", schedule->missed);
        seconds_member(out, "expires", schedule->expires);
        count_member(out, "priority", schedule->priority);
        text_append(out, "}", 1);
    }
    text_append(out, "]", 1);
}

void manifest_write(struct text *out) {
    text_append(out, "{", 1);
    string_member(out, "name", registry.name);
    string_member(out, "version", registry.version);
    member(out, "abi_major");
    text_append_format(out, "%u", registry.abi_major);
    member(out, "abi_minor");
    text_append_format(out, "%u", registry.abi_minor);
    string_member(out, "sdk", registry.sdk);
    member(out, "tasks");
    text_append(out, "[", 1);
    for (uint32_t index = 0; index < registry.count; index++) {
        const struct task_entry *entry = registry.tasks[index];
        text_append_string(out, index == 0 ? "{" : ",{");
        member(out, "index");
        text_append_format(out, "%u", index);
        string_member(out, "name", entry->name);
        string_member(out, "kind", entry->function != NULL ? "typed" : "context");
        member(out, "parameters");
        write_parameters(out, &entry->signature);
        member(out, "result");
        const char *result = entry->signature.result_text;
        text_append_json_string(out, result, result != NULL ? strlen(result) : 0);
        member(out, "options");
        write_options(out, &entry->options);
        text_append(out, "}", 1);
    }
    text_append(out, "]", 1);
    if (registry.schedule_count > 0) {
        member(out, "schedules");
        write_schedules(out);
    }
    if (registry.leave != NULL) {
        member(out, "last_word");
        text_append_string(out, "true");
    }
    text_append(out, "}", 1);
}
