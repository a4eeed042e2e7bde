/* signature - parsing, once per task at registration. */
#define _GNU_SOURCE
#include "signature.h"

#include "json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static ffi_type *bytes_fields[] = {&ffi_type_pointer, &ffi_type_ulong, NULL};
static ffi_type bytes_type = {.type = FFI_TYPE_STRUCT, .elements = bytes_fields};

static const struct {
    const char *name;
    enum value_type type;
    ffi_type *passed_as;
    bool parameter, result;
} types[] = {
    {"void", TYPE_VOID, &ffi_type_void, false, true},
    {"bool", TYPE_BOOL, &ffi_type_uint8, true, true},
    {"i8", TYPE_I8, &ffi_type_sint8, true, true},
    {"i16", TYPE_I16, &ffi_type_sint16, true, true},
    {"i32", TYPE_I32, &ffi_type_sint32, true, true},
    {"i64", TYPE_I64, &ffi_type_sint64, true, true},
    {"u8", TYPE_U8, &ffi_type_uint8, true, true},
    {"u16", TYPE_U16, &ffi_type_uint16, true, true},
    {"u32", TYPE_U32, &ffi_type_uint32, true, true},
    {"u64", TYPE_U64, &ffi_type_uint64, true, true},
    {"f32", TYPE_F32, &ffi_type_float, true, true},
    {"f64", TYPE_F64, &ffi_type_double, true, true},
    {"str", TYPE_STR, &ffi_type_pointer, true, true},
    {"str_owned", TYPE_STR_OWNED, &ffi_type_pointer, false, true},
    {"bytes", TYPE_BYTES, &bytes_type, true, true},
    {"json", TYPE_JSON, &ffi_type_pointer, true, true},
    {"json_owned", TYPE_JSON_OWNED, &ffi_type_pointer, false, true},
    {"context", TYPE_CONTEXT, &ffi_type_pointer, true, false},
};

struct parser {
    struct json_cursor in;
    bool typed;
    struct text *fault;
};

static char *copy(const char *bytes, size_t length) {
    char *string = strndup(bytes, length);
    if (string == NULL) {
        out_of_memory(length);
    }
    return string;
}

/* A type name ends at a comma, '=' or "->" outside of brackets: "[String: Int]" is one. */
static struct json_slice take_type(struct json_cursor *in) {
    while (in->at < in->end && *in->at == ' ') {
        in->at++;
    }
    const char *start = in->at;
    int depth = 0;
    for (; in->at < in->end; in->at++) {
        char byte = *in->at;
        bool arrow = byte == '-' && in->end - in->at > 1 && in->at[1] == '>';
        if (depth == 0 && (byte == ',' || byte == '=' || arrow)) {
            break;
        }
        depth += (byte == '(' || byte == '[' || byte == '<') - (byte == ')' || byte == ']');
        depth -= byte == '>' && in->at > start && in->at[-1] != '-';
    }
    const char *end = in->at;
    while (end > start && end[-1] == ' ') {
        end--;
    }
    return (struct json_slice){start, (size_t)(end - start)};
}

static bool find_type(struct parser *parser, struct json_slice name, bool as_result, enum value_type *type,
                      ffi_type **passed_as) {
    *type = TYPE_OTHER;
    if (!parser->typed) {
        return true;
    }
    for (size_t index = 0; index < sizeof types / sizeof types[0]; index++) {
        bool fits = as_result ? types[index].result : types[index].parameter;
        if (fits && strlen(types[index].name) == name.length &&
            memcmp(types[index].name, name.text, name.length) == 0) {
            *type = types[index].type;
            *passed_as = types[index].passed_as;
            return true;
        }
    }
    text_append_format(parser->fault, "'%.*s' is no %s type (i8 to i64, u8 to u64, f32, f64, bool, str, bytes, json%s)",
                       (int)name.length, name.text, as_result ? "result" : "parameter", as_result ? ", void" : "");
    return false;
}

static bool parse_default(struct parser *parser, struct parameter *parameter) {
    struct json_slice value;
    if (parameter->kind != PARAMETER_ONE) {
        text_append_format(parser->fault, "'%s%s' takes what is left over, it can have no default",
                           signature_stars(parameter->kind), parameter->name);
        return false;
    }
    if (!json_value(&parser->in, &value)) {
        text_append_format(parser->fault, "the default of '%s' is no JSON: %s", parameter->name, value.text);
        return false;
    }
    /* true and false are 1 and 0 to the C preprocessor. */
    if (parameter->type == TYPE_BOOL && value.length == 1 && (*value.text == '0' || *value.text == '1')) {
        value = *value.text == '1' ? (struct json_slice){"true", 4} : (struct json_slice){"false", 5};
    }
    parameter->default_json = copy(value.text, value.length);
    return true;
}

const char *signature_stars(enum parameter_kind kind) {
    static const char *const stars[] = {[PARAMETER_ONE] = "", [PARAMETER_REST] = "*", [PARAMETER_NAMED] = "**"};
    return stars[kind];
}

static enum parameter_kind take_kind(struct json_cursor *in) {
    unsigned stars = 0;
    while (stars < PARAMETER_NAMED && json_take(in, '*')) {
        stars++;
    }
    return (enum parameter_kind)stars;
}

static bool check_kind(const struct parser *parser, const struct signature *signature) {
    const struct parameter *parameter = &signature->parameters[signature->count];
    enum parameter_kind before = signature->count > 0 ? parameter[-1].kind : PARAMETER_ONE;
    if (parameter->kind != PARAMETER_ONE && parser->typed) {
        text_append_format(parser->fault, "only a handler can have '%s%s'", signature_stars(parameter->kind),
                           parameter->name);
        return false;
    }
    if (parameter->kind < before || (parameter->kind == before && before != PARAMETER_ONE)) {
        text_append_format(parser->fault, "'%s%s' is out of order: plain parameters first, then one '*', then one '**'",
                           signature_stars(parameter->kind), parameter->name);
        return false;
    }
    return true;
}

static bool parse_parameter(struct parser *parser, struct signature *signature) {
    if (signature->count == MAX_PARAMETERS) {
        text_append_format(parser->fault, "it has more than %d parameters", MAX_PARAMETERS);
        return false;
    }
    struct parameter *parameter = &signature->parameters[signature->count];
    parameter->kind = take_kind(&parser->in);
    const char *start = parser->in.at;
    while (parser->in.at < parser->in.end && (isalnum((unsigned char)*parser->in.at) || *parser->in.at == '_')) {
        parser->in.at++;
    }
    size_t length = (size_t)(parser->in.at - start);
    if (length == 0 || isdigit((unsigned char)*start) || !json_take(&parser->in, ':')) {
        text_append_format(parser->fault, "a parameter 'name:type' is expected at '%s'", start);
        return false;
    }
    parameter->name = copy(start, length);
    if (!check_kind(parser, signature)) {
        return false;
    }
    for (unsigned index = 0; index < signature->count; index++) {
        if (strcmp(signature->parameters[index].name, parameter->name) == 0) {
            text_append_format(parser->fault, "it has two parameters '%s'", parameter->name);
            return false;
        }
    }
    struct json_slice name = take_type(&parser->in);
    parameter->type_text = copy(name.text, name.length);
    if (!find_type(parser, name, false, &parameter->type, &signature->argument_types[signature->count])) {
        return false;
    }
    if (parameter->type == TYPE_CONTEXT && signature->count > 0) {
        text_append_string(parser->fault, "the context is not the first parameter");
        return false;
    }
    signature->count++;
    return !json_take(&parser->in, '=') || parse_default(parser, parameter);
}

static bool at_arrow(struct json_cursor *in) {
    while (in->at < in->end && *in->at == ' ') {
        in->at++;
    }
    return in->end - in->at >= 2 && in->at[0] == '-' && in->at[1] == '>';
}

static bool check_defaults(struct parser *parser, const struct signature *signature) {
    const char *first = NULL;
    for (unsigned index = 0; index < signature->count; index++) {
        const struct parameter *parameter = &signature->parameters[index];
        if (parameter->type == TYPE_CONTEXT) {
            continue;
        }
        if (parameter->default_json != NULL) {
            first = parameter->name;
        } else if (first != NULL && parser->typed) {
            text_append_format(parser->fault, "'%s' without a default follows '%s', which has one", parameter->name,
                               first);
            return false;
        }
    }
    return true;
}

bool signature_parse(struct signature *signature, const char *text, bool typed, struct text *fault) {
    struct parser parser = {{text, text + strlen(text)}, typed, fault};
    ffi_type *result_type = &ffi_type_void;
    *signature = (struct signature){.result = TYPE_VOID};
    while (!at_arrow(&parser.in) && parser.in.at < parser.in.end) {
        if (!parse_parameter(&parser, signature)) {
            return false;
        }
        if (!json_take(&parser.in, ',') && !at_arrow(&parser.in) && parser.in.at < parser.in.end) {
            text_append_format(fault, "a comma or '->' is expected at '%s'", parser.in.at);
            return false;
        }
    }
    if (parser.in.at < parser.in.end) {
        parser.in.at += 2;
        struct json_slice name = take_type(&parser.in);
        if (!find_type(&parser, name, true, &signature->result, &result_type)) {
            return false;
        }
        signature->result_text = copy(name.text, name.length);
    } else if (typed) {
        text_append_string(fault, "it has no '->' and result type");
        return false;
    }
    if (!check_defaults(&parser, signature)) {
        return false;
    }
    if (typed && ffi_prep_cif(&signature->call, FFI_DEFAULT_ABI, signature->count, result_type,
                              signature->argument_types) != FFI_OK) {
        text_append_string(fault, "libffi cannot call such a function");
        return false;
    }
    return true;
}
