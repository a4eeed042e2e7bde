/* invoke - typed functions through libffi, handlers directly. */
#include "invoke.h"

#include "arena.h"
#include "convert.h"

#include <stdlib.h>
#include <string.h>

/* What libffi writes: integers narrower than a register come as a whole register. */
union result {
    ffi_arg unsigned_register;
    ffi_sarg signed_register;
    uint64_t u64;
    int64_t i64;
    float f32;
    double f64;
    char *pointer;
    struct bytes_value bytes;
};

static void append_text_result(struct text *out, const char *string) {
    text_append_json_string(out, string, string != NULL ? strlen(string) : 0);
}

static void append_result(struct text *out, enum value_type type, const union result *result) {
    switch (type) {
    case TYPE_BOOL: text_append_string(out, (result->unsigned_register & 0xff) != 0 ? "true" : "false"); return;
    case TYPE_I8: text_append_signed(out, (int8_t)result->signed_register); return;
    case TYPE_I16: text_append_signed(out, (int16_t)result->signed_register); return;
    case TYPE_I32: text_append_signed(out, (int32_t)result->signed_register); return;
    case TYPE_I64: text_append_signed(out, result->i64); return;
    case TYPE_U8: text_append_unsigned(out, (uint8_t)result->unsigned_register); return;
    case TYPE_U16: text_append_unsigned(out, (uint16_t)result->unsigned_register); return;
    case TYPE_U32: text_append_unsigned(out, (uint32_t)result->unsigned_register); return;
    case TYPE_U64: text_append_unsigned(out, result->u64); return;
    case TYPE_F32: text_append_json_float(out, result->f32); return;
    case TYPE_F64: text_append_json_double(out, result->f64); return;
    case TYPE_STR:
    case TYPE_STR_OWNED: append_text_result(out, result->pointer); return;
    case TYPE_JSON:
    case TYPE_JSON_OWNED: text_append_string(out, result->pointer != NULL ? result->pointer : "null"); return;
    case TYPE_BYTES: text_append_json_bytes(out, result->bytes.data, result->bytes.length); return;
    default: text_append(out, "null", 4);
    }
}

static bool bind_body(task_context *task, struct json_slice *bound, struct bind_fault *fault) {
    return bind_call(task->entry, task->texts[TASKHOST_TEXT_BODY], task->lengths[TASKHOST_TEXT_BODY], bound, fault);
}

static void fail_with(task_context *task, struct bind_fault *fault) {
    const char *where = fault->where.length > 0 ? text_string(&fault->where) : NULL;
    context_fail(task, fault->type, "builtins", text_string(&fault->message), NULL, where);
    text_free(&fault->message);
    text_free(&fault->where);
}

const taskhost_slice *invoke_bind(task_context *task, size_t *count) {
    unsigned parameters = task->entry->signature.count;
    struct json_slice bound[MAX_PARAMETERS];
    struct bind_fault fault = {0};
    if (!bind_body(task, bound, &fault)) {
        fail_with(task, &fault);
        return NULL;
    }
    taskhost_slice *slices = arena_take(parameters * sizeof *slices);
    for (unsigned index = 0; index < parameters; index++) {
        slices[index] = (taskhost_slice){bound[index].text, bound[index].length};
    }
    if (count != NULL) {
        *count = parameters;
    }
    return slices;
}

static void call_typed(task_context *task) {
    static char room[RESULT_ROOM];
    static struct text json = TEXT_IN(room);
    const struct signature *signature = &task->entry->signature;
    union value values[MAX_PARAMETERS];
    void *pointers[MAX_PARAMETERS];
    struct json_slice bound[MAX_PARAMETERS];
    struct bind_fault fault = {0};
    if (!bind_body(task, bound, &fault) || !convert_arguments(task->entry, bound, values, &fault)) {
        fail_with(task, &fault);
        return;
    }
    for (unsigned index = 0; index < signature->count; index++) {
        pointers[index] = &values[index];
    }
    if (signature->count > 0 && signature->parameters[0].type == TYPE_CONTEXT) {
        values[0].pointer = task;
    }
    union result result = {0};
    ffi_call((ffi_cif *)&signature->call, task->entry->function, &result, pointers);
    if (!task->over) {
        text_clear(&json);
        append_result(&json, signature->result, &result);
        context_succeed(task, json.bytes, json.length);
        text_shrink(&json);
    }
    if (signature->result == TYPE_STR_OWNED || signature->result == TYPE_JSON_OWNED) {
        free(result.pointer);
    }
}

void invoke(task_context *task) {
    if (task->entry->function != NULL) {
        call_typed(task);
    } else {
        task->entry->handler(task, task->entry->user);
    }
    arena_reset();
    if (!task->over) { /* a handler that says nothing has nothing to say */
        context_succeed(task, "null", 4);
    }
}
