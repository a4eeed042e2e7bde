// taskhost_values.hpp - C++ types from and to JSON. Included by taskhost.hpp.
#ifndef TASKHOST_VALUES_HPP
#define TASKHOST_VALUES_HPP
#include "taskhost_json.hpp"

namespace taskhost {

/// How a type is read and written. For a type of your own:
///
///     template <> struct taskhost::Value<Point> {
///         static std::string name() { return "Point"; }                 // for `taskhost bundles`
///         static Point from(const Json &json) { return {read<double>(json["x"]), read<double>(json["y"])}; }
///         static Json to(const Point &point) { return Json::object({{"x", point.x}, {"y", point.y}}); }
///     };
template <class T, class = void> struct Value;

template <class T> T read(const Json &json) { return Value<T>::from(json); }

namespace detail {
/// "must be int, not str"; the argument's name is put before it.
[[noreturn]] inline void mismatch(const char *wanted, const Json &json) {
    throw Failure("TypeError", std::string("must be ") + wanted + ", not " + json.kind());
}
} // namespace detail

template <> struct Value<Json> {
    static std::string name() { return "JSON"; }
    static Json from(const Json &json) { return json; }
    static Json to(const Json &json) { return json; }
};

template <> struct Value<bool> {
    static std::string name() { return "Bool"; }
    static bool from(const Json &json) {
        if (const bool *flag = json.as_bool()) return *flag;
        detail::mismatch("bool", json);
    }
    static Json to(bool flag) { return Json(flag); }
};

template <class T> struct Value<T, std::enable_if_t<std::is_integral_v<T> && !std::is_same_v<T, bool>>> {
    static std::string name() {
        return (std::is_signed_v<T> ? "Int" : "UInt") + (sizeof(T) == 8 ? "" : std::to_string(8 * sizeof(T)));
    }
    static T from(const Json &json) {
        const int64_t *number = json.as_int();
        if (!number) detail::mismatch("int", json);
        T made = static_cast<T>(*number);
        if (static_cast<int64_t>(made) != *number || (std::is_unsigned_v<T> && *number < 0))
            throw Failure("OverflowError", std::to_string(*number) + " does not fit " + name());
        return made;
    }
    static Json to(T number) {
        if (std::is_unsigned_v<T> && static_cast<uint64_t>(number) > static_cast<uint64_t>(INT64_MAX))
            return Json(static_cast<double>(number));
        return Json(static_cast<int64_t>(number));
    }
};

template <class T> struct Value<T, std::enable_if_t<std::is_floating_point_v<T>>> {
    static std::string name() { return "Double"; }
    static T from(const Json &json) {
        if (const double *number = json.as_double()) return static_cast<T>(*number);
        if (const int64_t *number = json.as_int()) return static_cast<T>(*number);
        detail::mismatch("float", json);
    }
    static Json to(T number) { return Json(static_cast<double>(number)); }
};

template <> struct Value<std::string> {
    static std::string name() { return "String"; }
    static std::string from(const Json &json) {
        if (const std::string *text = json.as_string()) return *text;
        detail::mismatch("str", json);
    }
    static Json to(const std::string &text) { return Json(text); }
};

template <class T> struct Value<std::optional<T>> {
    static std::string name() { return Value<T>::name() + "?"; }
    static std::optional<T> from(const Json &json) {
        return json.is_null() ? std::nullopt : std::optional<T>(read<T>(json));
    }
    static Json to(const std::optional<T> &value) { return value ? Value<T>::to(*value) : Json(); }
};

template <class T> struct Value<std::vector<T>> {
    static std::string name() { return "[" + Value<T>::name() + "]"; }
    static std::vector<T> from(const Json &json) {
        const Json::Array *elements = json.as_array();
        if (!elements) detail::mismatch("list", json);
        std::vector<T> made;
        made.reserve(elements->size());
        for (const Json &element : *elements) made.push_back(read<T>(element));
        return made;
    }
    static Json to(const std::vector<T> &values) {
        Json::Array elements;
        elements.reserve(values.size());
        for (const auto &value : values) elements.push_back(Value<T>::to(value));
        return Json(std::move(elements));
    }
};

namespace detail {
template <class Map> struct MapValue {
    using Inner = typename Map::mapped_type;
    static std::string name() { return "[String:" + Value<Inner>::name() + "]"; }
    static Map from(const Json &json) {
        const Json::Object *members = json.as_object();
        if (!members) mismatch("dict", json);
        Map made;
        for (const Json::Member &member : *members) made.insert_or_assign(member.first, read<Inner>(member.second));
        return made;
    }
    static Json to(const Map &map) {
        Json::Object members;
        for (const auto &[key, value] : map) members.emplace_back(key, Value<Inner>::to(value));
        return Json(std::move(members));
    }
};
} // namespace detail
template <class T> struct Value<std::map<std::string, T>> : detail::MapValue<std::map<std::string, T>> {};
template <class T>
struct Value<std::unordered_map<std::string, T>> : detail::MapValue<std::unordered_map<std::string, T>> {};

template <class One, class Two> struct Value<std::pair<One, Two>> {
    static std::string name() { return "JSON"; }
    static std::pair<One, Two> from(const Json &json) {
        const Json::Array *elements = json.as_array();
        if (!elements || elements->size() != 2) detail::mismatch("list of two", json);
        return {read<One>((*elements)[0]), read<Two>((*elements)[1])};
    }
    static Json to(const std::pair<One, Two> &pair) {
        return Json::array({Value<One>::to(pair.first), Value<Two>::to(pair.second)});
    }
};

} // namespace taskhost
#endif
