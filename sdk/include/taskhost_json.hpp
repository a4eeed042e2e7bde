// taskhost_json.hpp - a JSON value, and C++ types from and to it. Included by taskhost.hpp. C++17 on.
#ifndef TASKHOST_JSON_HPP
#define TASKHOST_JSON_HPP
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace taskhost {

/// How a task fails, by the names that clients see: throw Failure("ValueError", "width must be positive").
class Failure : public std::exception {
public:
    Failure(std::string type, std::string message) : type_(std::move(type)), message_(std::move(message)) {}
    const char *what() const noexcept override { return message_.c_str(); }
    const std::string &type() const { return type_; }

private:
    std::string type_, message_;
};

/// Any JSON value. Integers and floats stay apart, as in Python; integers beyond 64 bits become floats; of equal keys the
/// last counts; members keep their order.
class Json {
public:
    using Array = std::vector<Json>;
    using Member = std::pair<std::string, Json>;
    using Object = std::vector<Member>;

    Json() = default;
    Json(std::nullptr_t) {}
    Json(bool value) : value_(value) {}
    template <class T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>, int> = 0>
    Json(T value) : value_(static_cast<int64_t>(value)) {}
    Json(double value) : value_(value) {}
    Json(const char *text) : value_(std::string(text)) {}
    Json(std::string text) : value_(std::move(text)) {}
    Json(Array array) : value_(std::move(array)) {}
    Json(Object object) : value_(std::move(object)) {}

    static Json array(std::initializer_list<Json> elements = {}) { return Json(Array(elements)); }
    static Json object(std::initializer_list<Member> members = {}) { return Json(Object(members)); }

    bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
    const bool *as_bool() const { return std::get_if<bool>(&value_); }
    const int64_t *as_int() const { return std::get_if<int64_t>(&value_); }
    const double *as_double() const { return std::get_if<double>(&value_); }
    const std::string *as_string() const { return std::get_if<std::string>(&value_); }
    const Array *as_array() const { return std::get_if<Array>(&value_); }
    const Object *as_object() const { return std::get_if<Object>(&value_); }

    /// null if it is no object, or has no such key.
    const Json &operator[](std::string_view key) const {
        static const Json none;
        if (const Object *members = as_object()) {
            for (auto at = members->rbegin(); at != members->rend(); ++at)
                if (at->first == key) return at->second;
        }
        return none;
    }
    /// Makes an object of null, and a member where there is none.
    Json &operator[](const std::string &key) {
        if (is_null()) value_ = Object{};
        auto &members = std::get<Object>(value_);
        for (Member &member : members)
            if (member.first == key) return member.second;
        return members.emplace_back(key, Json()).second;
    }
    Json &operator[](const char *key) { return (*this)[std::string(key)]; }
    /// Makes an array of null.
    void push_back(Json element) {
        if (is_null()) value_ = Array{};
        std::get<Array>(value_).push_back(std::move(element));
    }

    bool operator==(const Json &other) const { return value_ == other.value_; }
    bool operator!=(const Json &other) const { return !(*this == other); }

    /// Python's word for what it is.
    const char *kind() const {
        static const char *const names[] = {"None", "bool", "int", "float", "str", "list", "dict"};
        return names[value_.index()];
    }

    std::string text() const {
        std::string out;
        write(out);
        return out;
    }
    /// Throws Failure("ValueError", …) for what is no JSON.
    static Json parse(std::string_view text) {
        Parser parser{text};
        Json value = parser.value(0);
        parser.space();
        if (parser.at != text.size()) parser.fail();
        return value;
    }

private:
    std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;

    static void quote(const std::string &text, std::string &out) {
        static const char digits[] = "0123456789abcdef";
        out += '"';
        for (unsigned char letter : text) {
            if (letter == '"' || letter == '\\') {
                out += '\\';
                out += static_cast<char>(letter);
            } else if (letter < 0x20) {
                out += "\\u00";
                out += digits[letter >> 4];
                out += digits[letter & 15];
            } else {
                out += static_cast<char>(letter);
            }
        }
        out += '"';
    }

    void write(std::string &out) const {
        if (is_null()) {
            out += "null";
        } else if (const bool *flag = as_bool()) {
            out += *flag ? "true" : "false";
        } else if (const int64_t *number = as_int()) {
            out += std::to_string(*number);
        } else if (const double *number = as_double()) {
            write(*number, out);
        } else if (const std::string *text = as_string()) {
            quote(*text, out);
        } else if (const Array *elements = as_array()) {
            const char *before = "[";
            for (const Json &element : *elements) {
                out += before;
                element.write(out);
                before = ",";
            }
            out += elements->empty() ? "[]" : "]";
        } else if (const Object *members = as_object()) {
            const char *before = "{";
            for (const Member &member : *members) {
                out += before;
                quote(member.first, out);
                out += ':';
                member.second.write(out);
                before = ",";
            }
            out += members->empty() ? "{}" : "}";
        }
    }

    /// Stays a float for whoever reads it.
    static void write(double number, std::string &out) {
        if (!std::isfinite(number)) {
            out += std::isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
            return;
        }
        char text[40];
        for (int digits = 15; digits <= 17; digits++) {
            std::snprintf(text, sizeof text, "%.*g", digits, number);
            if (std::strtod(text, nullptr) == number) break;
        }
        out += text;
        if (out.find_first_of(".e", out.size() - std::string_view(text).size()) == std::string::npos) out += ".0";
    }

    struct Parser {
        std::string_view in;
        size_t at = 0;

        [[noreturn]] void fail() const {
            throw Failure("ValueError", "no JSON, at byte " + std::to_string(at));
        }
        void space() {
            while (at < in.size() && (in[at] == ' ' || in[at] == '\t' || in[at] == '\n' || in[at] == '\r')) at++;
        }
        char peek() const { return at < in.size() ? in[at] : '\0'; }
        bool take(std::string_view word) {
            if (in.substr(at, word.size()) != word) return false;
            at += word.size();
            return true;
        }
        Json value(int depth) {
            space();
            if (depth > 500) fail();
            if (peek() == '{') return object(depth);
            if (peek() == '[') return array(depth);
            if (peek() == '"') return Json(string());
            if (take("null")) return Json();
            if (take("true")) return Json(true);
            if (take("false")) return Json(false);
            if (take("NaN")) return Json(std::numeric_limits<double>::quiet_NaN());
            if (take("Infinity")) return Json(std::numeric_limits<double>::infinity());
            if (take("-Infinity")) return Json(-std::numeric_limits<double>::infinity());
            return number();
        }
        Json number() {
            size_t start = at;
            bool is_float = false;
            for (; at < in.size() && std::string_view("+-.0123456789eE").find(in[at]) != std::string_view::npos; at++)
                is_float = is_float || in[at] == '.' || in[at] == 'e' || in[at] == 'E';
            std::string digits(in.substr(start, at - start));
            char *end = nullptr;
            if (!is_float) {
                errno = 0;
                long long whole = std::strtoll(digits.c_str(), &end, 10);
                if (digits.empty() || *end) fail();
                if (errno == 0) return Json(static_cast<int64_t>(whole));
            }
            double real = std::strtod(digits.c_str(), &end);
            if (digits.empty() || *end) fail();
            return Json(real);
        }
        unsigned hex() {
            unsigned code = 0;
            for (int index = 0; index < 4; index++, at++) {
                char letter = peek();
                unsigned digit = letter >= '0' && letter <= '9'   ? static_cast<unsigned>(letter - '0')
                                 : letter >= 'a' && letter <= 'f' ? static_cast<unsigned>(letter - 'a' + 10)
                                 : letter >= 'A' && letter <= 'F' ? static_cast<unsigned>(letter - 'A' + 10)
                                                                  : 16;
                if (digit == 16) fail();
                code = code * 16 + digit;
            }
            return code;
        }
        static void utf8(unsigned code, std::string &out) {
            if (code < 0x80) {
                out += static_cast<char>(code);
                return;
            }
            int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
            static const unsigned first[] = {0, 0xc0, 0xe0, 0xf0};
            out += static_cast<char>(first[more] | code >> (6 * more));
            while (more-- > 0) out += static_cast<char>(0x80 | ((code >> (6 * more)) & 0x3f));
        }
        std::string string() {
            std::string text;
            for (at++; peek() != '"';) {
                if (at >= in.size()) fail();
                if (peek() != '\\') {
                    text += in[at++];
                    continue;
                }
                at++;
                char letter = peek();
                at++;
                static const std::string_view names = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
                if (letter == 'u') {
                    unsigned code = hex();
                    if (code >= 0xd800 && code < 0xdc00 && in.substr(at, 2) == "\\u") {
                        at += 2;
                        code = 0x10000 + ((code - 0xd800) << 10) + ((hex() - 0xdc00) & 0x3ff);
                    }
                    utf8(code, text);
                } else if (size_t place = names.find(letter); place != std::string_view::npos) {
                    text += meanings[place];
                } else {
                    fail();
                }
            }
            at++;
            return text;
        }
        Json array(int depth) {
            Array elements;
            at++;
            space();
            if (take("]")) return Json(std::move(elements));
            do {
                elements.push_back(value(depth + 1));
                space();
            } while (take(","));
            if (!take("]")) fail();
            return Json(std::move(elements));
        }
        Json object(int depth) {
            Object members;
            at++;
            space();
            if (take("}")) return Json(std::move(members));
            do {
                space();
                if (peek() != '"') fail();
                std::string key = string();
                space();
                if (!take(":")) fail();
                members.emplace_back(std::move(key), value(depth + 1));
                space();
            } while (take(","));
            if (!take("}")) fail();
            return Json(std::move(members));
        }
    };
};

} // namespace taskhost
#endif
