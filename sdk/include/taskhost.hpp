// taskhost.hpp - the C++ face of taskhost.h, header only. C++17 on, gcc or clang.
//
//     #include <taskhost.hpp>
//
//     static std::string greet(taskhost::Task &task, const std::string &name, int times) {
//         if (times < 1) throw std::invalid_argument("times must be positive");
//         task.progress(1, 1);
//         return "Hello, " + name + "!";
//     }
//     TASK_FUNCTION(greet, "name", {"times", 1});
//     TASK_OPTIONS(greet, .soft_limit = 5, .doc = "Greets somebody.");
//     TASKHOST_BUNDLE("greetings", "1.0.0");
//
// Parameters and results are whatever taskhost::Value knows: numbers, bool, std::string, std::vector, std::map with string
// keys, std::optional, std::pair, taskhost::Json, and types of your own. A first parameter Task & is not named. What leaves a
// function as an exception is the task's failure, with its type and message; Retry, Reject and Ignore end it otherwise.
#ifndef TASKHOST_HPP
#define TASKHOST_HPP
#include "taskhost.h"
#include "taskhost_values.hpp"

#include <cerrno>
#include <cstdio>
#include <cxxabi.h>
#include <new>
#include <system_error>
#include <tuple>
#include <typeinfo>

namespace taskhost {

/// Throw it to be run again after so many seconds; < 0: as the task's options say.
struct Retry {
    double countdown = -1;
    std::string reason;
};
/// Throw it to give the message up: it is dead-lettered, or goes back to its queue.
struct Reject {
    std::string reason;
    bool requeue = false;
};
/// Throw it to end without a result.
struct Ignore {};

/// A call to come, as Celery's clients write it: Signature("sums.add", {2, 2}).option("queue", "urgent")
class Signature {
public:
    explicit Signature(std::string task, Json::Array args = {}, Json kwargs = Json::object())
        : json_(Json::object({{"task", std::move(task)},
                              {"args", Json(std::move(args))},
                              {"kwargs", std::move(kwargs)},
                              {"options", Json::object()},
                              {"subtask_type", Json()},
                              {"immutable", false}})) {}
    /// One after the other, each with the result of the one before it as its first argument.
    static Signature chain(const std::vector<Signature> &steps) { return several("chain", "tasks", steps); }
    /// At the same time.
    static Signature group(const std::vector<Signature> &members) { return several("group", "tasks", members); }
    /// At the same time, then `body` with the list of the results.
    static Signature chord(const std::vector<Signature> &members, const Signature &body) {
        Signature made = several("chord", "header", members);
        made.json_["kwargs"]["body"] = body.json_;
        made.json_["kwargs"]["kwargs"] = Json::object();
        return made;
    }
    Signature option(const std::string &name, Json value) const {
        Signature copy = *this;
        copy.json_["options"][name] = std::move(value);
        return copy;
    }
    /// With its own arguments only, whatever ran before it.
    Signature immutable() const {
        Signature copy = *this;
        copy.json_["immutable"] = true;
        return copy;
    }
    const Json &json() const { return json_; }

private:
    Json json_;

    static Signature several(const std::string &kind, const std::string &key, const std::vector<Signature> &list) {
        Json::Array steps;
        for (const Signature &step : list) steps.push_back(step.json_);
        Signature made("celery." + kind, {}, Json::object({{key, Json(std::move(steps))}}));
        made.json_["subtask_type"] = kind;
        return made;
    }
};

/// What a task sees and says while it runs. Not to be kept.
class Task {
public:
    explicit Task(task_context *context) : context_(context) {}
    task_context *context() const { return context_; }

    std::string id() const { return text(TASKHOST_TEXT_ID); }
    std::string name() const { return text(TASKHOST_TEXT_NAME); }
    std::string queue() const { return text(TASKHOST_TEXT_QUEUE); }
    /// How often it was tried before: 0 the first time.
    int retries() const { return task_retries(context_); }
    /// Seconds to the hard limit; infinity without one.
    double time_left() const { return task_time_left(context_); }
    Json headers() const { return Json::parse(text(TASKHOST_TEXT_HEADERS)); }

    /// True from the soft limit (or a revocation) on: clean up and return.
    bool should_stop() const { return task_should_stop(context_); }
    /// For poll(): readable from then on. Neither read nor close it.
    int stop_fd() const { return task_stop_fd(context_); }
    /// Throws what Celery's clients know as SoftTimeLimitExceeded from then on.
    void check_stop() const {
        if (should_stop()) throw Failure("SoftTimeLimitExceeded", "the task was asked to stop");
    }

    void progress(int64_t done, int64_t total) const { task_progress(context_, done, total); }
    void state(const std::string &name, const Json &meta) const {
        task_state(context_, name.c_str(), meta.text().c_str());
    }
    void log(int level, const std::string &line) const {
        taskhost_functions->log(context_, level, line.data(), line.size());
    }
    void log(const std::string &line) const { log(TASKHOST_INFO, line); }

    /// Published while the task runs on. The new task's id.
    std::string send(const Signature &signature) const {
        char id[TASKHOST_ID_SIZE];
        if (!task_send(context_, signature.json().text().c_str(), id))
            throw Failure("ValueError", "the signature cannot be sent");
        return id;
    }
    /// Takes this task's place and gives its result: return after it.
    void replace(const Signature &signature) const { task_replace(context_, signature.json().text().c_str()); }

private:
    task_context *context_;

    std::string text(int which) const {
        const char *found = task_text(context_, which);
        return found ? found : "";
    }
};

/// A parameter's name, and its default where it has one.
class Parameter {
public:
    Parameter(const char *name) : name(name) {}
    template <class T> Parameter(const char *name, T fallback) : name(name), fallback(json(fallback).text()) {}
    /// The function itself stands first in the list that TASK_FUNCTION makes.
    template <class Result, class... Types> Parameter(Result (*)(Types...)) {}

    std::string name, fallback;

private:
    static Json json(const char *text) { return Json(text); }
    template <class T> static Json json(const T &value) { return Value<T>::to(value); }
};

namespace detail {

template <std::size_t Count> std::integral_constant<std::size_t, Count> count_of(const Parameter (&)[Count]);

template <class T> using Plain = std::remove_cv_t<std::remove_reference_t<T>>;

/// A function's parameters without the Task & at their head.
template <class Function> struct Shape;
template <class R, class... Types> struct Shape<R (*)(Types...)> {
    using Result = R;
    using Arguments = std::tuple<Plain<Types>...>;
    static constexpr bool takes_task = false;
};
template <class R, class... Types> struct Shape<R (*)(Task &, Types...)> {
    using Result = R;
    using Arguments = std::tuple<Plain<Types>...>;
    static constexpr bool takes_task = true;
};

template <class... Types>
std::string signature(const std::vector<Parameter> &list, const std::tuple<Types...> *, const std::string &result) {
    const std::string types[] = {Value<Types>::name()..., ""};
    std::string text;
    for (std::size_t index = 1; index < list.size(); index++) {
        text += (index > 1 ? "," : "") + list[index].name + ":" + types[index - 1];
        if (!list[index].fallback.empty()) text += "=" + list[index].fallback;
    }
    return text + "->" + result;
}

template <class T> T argument(const taskhost_slice &slice, const Parameter &parameter) {
    try {
        return read<T>(Json::parse(slice.text ? std::string_view(slice.text, slice.length) : parameter.fallback));
    } catch (const Failure &failure) {
        throw Failure(failure.type(), "argument '" + parameter.name + "' " + failure.what());
    }
}

template <auto function, class... Types, std::size_t... Index>
void call(Task &task, const taskhost_slice *slices, const std::vector<Parameter> &list, const std::tuple<Types...> *,
          std::index_sequence<Index...>) {
    using S = Shape<decltype(function)>;
    (void)slices;
    std::tuple<Types...> values{argument<Types>(slices[Index], list[Index + 1])...};
    auto run = [&]() -> typename S::Result {
        if constexpr (S::takes_task)
            return function(task, std::get<Index>(values)...);
        else
            return function(std::get<Index>(values)...);
    };
    if constexpr (std::is_void_v<typename S::Result>) {
        run();
        task_succeed_json(task.context(), "null");
    } else {
        std::string text = Value<Plain<typename S::Result>>::to(run()).text();
        taskhost_functions->succeed(task.context(), text.data(), text.size());
    }
}

inline std::string type_name(const std::type_info &type) {
    int status = 0;
    char *text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
    std::string name = text ? text : type.name();
    std::free(text);
    return name;
}

/// What clients know the standard library's exceptions by; those of others keep their names.
inline void fail(task_context *context, const std::exception &error) {
    std::string name = type_name(typeid(error)), module;
    if (name.compare(0, 5, "std::") == 0) {
        module = "builtins";
        name = dynamic_cast<const std::invalid_argument *>(&error) || dynamic_cast<const std::domain_error *>(&error)
                   ? "ValueError"
               : dynamic_cast<const std::out_of_range *>(&error) ? "IndexError"
               : dynamic_cast<const std::overflow_error *>(&error) || dynamic_cast<const std::range_error *>(&error)
                   ? "OverflowError"
               : dynamic_cast<const std::bad_alloc *>(&error)    ? "MemoryError"
               : dynamic_cast<const std::system_error *>(&error) ? "OSError"
                                                                 : "RuntimeError";
    } else if (std::size_t colons = name.rfind("::"); colons != std::string::npos) {
        module = name.substr(0, colons);
        name = name.substr(colons + 2);
        for (std::size_t at; (at = module.find("::")) != std::string::npos;) module.replace(at, 2, ".");
    }
    taskhost_functions->fail(context, name.c_str(), module.empty() ? nullptr : module.c_str(), error.what(), nullptr,
                             nullptr);
}

template <auto function> void run(task_context *context, const std::vector<Parameter> &list) {
    using Arguments = typename Shape<decltype(function)>::Arguments;
    const taskhost_slice *slices = task_bind(context, nullptr);
    if (!slices) return;
    Task task(context);
    try {
        call<function>(task, slices, list, static_cast<const Arguments *>(nullptr),
                       std::make_index_sequence<std::tuple_size_v<Arguments>>());
    } catch (const Retry &retry) {
        task_retry(context, retry.countdown, retry.reason.empty() ? nullptr : retry.reason.c_str());
    } catch (const Reject &reject) {
        task_reject(context, reject.reason.c_str(), reject.requeue);
    } catch (const Ignore &) {
        task_ignore(context);
    } catch (const Failure &failure) {
        const char *type = failure.type().c_str();
        const char *module = failure.type() == "SoftTimeLimitExceeded" ? "billiard.exceptions" : taskhost_module_of(type);
        taskhost_functions->fail(context, type, module, failure.what(), nullptr, nullptr);
    } catch (const std::exception &error) {
        fail(context, error);
    } catch (abi::__forced_unwind &) {
        throw; // the thread is being ended
    } catch (...) {
        const std::type_info *type = abi::__cxa_current_exception_type();
        std::string name = type ? type_name(*type) : "something";
        taskhost_functions->fail(context, "Exception", "builtins", ("a C++ " + name + " was thrown").c_str(), nullptr,
                                 nullptr);
    }
}

template <class R> std::string result_name() {
    if constexpr (std::is_void_v<R>)
        return "Void";
    else
        return Value<Plain<R>>::name();
}

template <class Function> const char *signature_text(const std::vector<Parameter> &list) {
    using S = Shape<Function>;
    // Until the bundle is gone: the host copies it while the bundle registers.
    return (new std::string(signature(list, static_cast<const typename S::Arguments *>(nullptr),
                                      result_name<typename S::Result>())))
        ->c_str();
}

} // namespace detail
} // namespace taskhost

// TASK_FUNCTION(function, "name", {"name", default} ...): a function of C++ values, its parameters' names in order.
#define TASK_FUNCTION(...) TASKHOST_FUNCTION_(TASKHOST_FUNCTION_FIRST(__VA_ARGS__, ), __VA_ARGS__)
#define TASKHOST_FUNCTION_FIRST(first, ...) first
#define TASKHOST_FUNCTION_(function, ...) TASKHOST_FUNCTION__(function, __VA_ARGS__)
#define TASKHOST_FUNCTION__(function, ...)                                                                           \
    static_assert(decltype(::taskhost::detail::count_of({__VA_ARGS__}))::value - 1 ==                                \
                      std::tuple_size_v<typename ::taskhost::detail::Shape<decltype(&function)>::Arguments>,         \
                  "TASK_FUNCTION(" #function ", ...) does not name as many parameters as " #function "() has");      \
    static const std::vector<::taskhost::Parameter> &taskhost_##function##_parameters() {                            \
        static const std::vector<::taskhost::Parameter> list = {__VA_ARGS__};                                        \
        return list;                                                                                                 \
    }                                                                                                                \
    static void taskhost_##function##_call(task_context *task, void *) {                                             \
        ::taskhost::detail::run<&function>(task, taskhost_##function##_parameters());                                \
    }                                                                                                                \
    TASKHOST_TASK(taskhost_##function, #function,                                                                    \
                  ::taskhost::detail::signature_text<decltype(&function)>(taskhost_##function##_parameters()), 0,    \
                  taskhost_##function##_call)
#endif
