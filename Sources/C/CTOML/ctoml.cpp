// Walks what toml++ has parsed. No exception leaves this file: Swift knows none.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include "ctoml.h"

#include <cstdio>
#include <string_view>

#include <toml++/toml.h>

namespace {

struct Walk {
    ctoml_visit visit;
    void *context;

    void node(const toml::node &node, ctoml_item item) const {
        if (const auto *table = node.as_table()) {
            give(item, CTOML_TABLE);
            for (const auto &[key, value] : *table) {
                ctoml_item inner = {};
                inner.key = key.str().data();
                inner.key_length = key.str().size();
                this->node(value, inner);
            }
            give({}, CTOML_END);
        } else if (const auto *array = node.as_array()) {
            give(item, CTOML_ARRAY);
            for (const auto &element : *array) this->node(element, {});
            give({}, CTOML_END);
        } else if (const auto *text = node.as_string()) {
            item.text = text->get().data();
            item.text_length = text->get().size();
            give(item, CTOML_TEXT);
        } else if (const auto *integer = node.as_integer()) {
            item.integer = integer->get();
            give(item, CTOML_INTEGER);
        } else if (const auto *number = node.as_floating_point()) {
            item.number = number->get();
            give(item, CTOML_NUMBER);
        } else if (const auto *flag = node.as_boolean()) {
            item.integer = flag->get() ? 1 : 0;
            give(item, CTOML_FLAG);
        } else {
            give(item, CTOML_TIME);
        }
    }

    void give(ctoml_item item, ctoml_kind kind) const {
        item.kind = kind;
        visit(context, &item);
    }
};

} // namespace

bool ctoml_parse(const char *text, size_t length, ctoml_visit visit, void *context, ctoml_error *error) {
    const toml::parse_result result = toml::parse(std::string_view(text, length));
    if (!result) {
        const std::string_view reason = result.error().description();
        std::snprintf(error->message, sizeof error->message, "%.*s", static_cast<int>(reason.size()), reason.data());
        error->line = result.error().source().begin.line;
        error->column = result.error().source().begin.column;
        return false;
    }
    Walk{visit, context}.node(result.table(), {});
    return true;
}
