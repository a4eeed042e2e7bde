// Tasks that fail, reject their message, or are tried again.

import TaskhostSDK

struct Fail: TaskHandler {
    static let options = suite.options("fail")
    @Rest var arguments: [JSON]

    func run(_ task: TaskContext) throws { throw expectedException(["Task expected to fail"] + arguments) }
}

struct RaiseError: TaskHandler {
    static let options = suite.options("raise_error")
    @Rest var arguments: [JSON]

    func run(_ task: TaskContext) throws { throw TaskError(type: "ValueError", "deliberate error") }
}

/// What Celery puts in the place of an exception that can't be pickled.
private func wrapped(_ foo: String) -> TaskError {
    let written = "UnpickleableException('\(foo)')"
    return TaskError(
        type: "UnpickleableExceptionWrapper", module: "celery.utils.serialization", written,
        arguments: [.string(module), "UnpickleableException", [.string(foo)], .string(written)])
}

struct FailUnpickleable: TaskHandler {
    static let options = suite.options("fail_unpickleable")
    @Arg var foo: String
    @Arg var bar: JSON

    func run(_ task: TaskContext) throws { throw wrapped(foo) }
}

struct ReturnException: TaskHandler {
    static let options = suite.options("return_exception")
    @Arg var e: JSON

    func run(_ task: TaskContext) -> JSON { [e, true] }
}

struct RejectWithoutRequeue: TaskHandler {
    static let options = suite.options("reject_without_requeue")

    func run(_ task: TaskContext) throws { throw Reject(requeue: false, reason: "rejected") }
}

struct RejectThenSucceed: TaskHandler {
    static let options = suite.options("reject_then_succeed", acksLate: true)

    func run(_ task: TaskContext) throws -> String {
        guard task.isRedelivered else { throw Reject(requeue: true) }
        return "second-pass"
    }
}

struct RetryTask: TaskHandler {
    static let options = suite.options("retry", retry: .atMost(3, delay: .seconds(1)))
    @Arg var value: JSON?

    enum CodingKeys: String, CodingKey {
        case value = "return_value"
    }

    func run(_ task: TaskContext) throws -> JSON {
        if let value, isTruthy(value), task.retries >= 3 { return value }
        throw Retry(after: .seconds(5), failure: expectedException([]))
    }
}

/// `retry_kwargs`: what Celery's retry() takes.
struct RetryUnpickleable: TaskHandler {
    static let options = suite.options("retry_unpickleable", retry: .atMost(3, delay: .seconds(1)))
    @Arg var foo: String
    @Arg var bar: JSON
    @Arg var settings: JSON

    enum CodingKeys: String, CodingKey {
        case foo, bar
        case settings = "retry_kwargs"
    }

    func run(_ task: TaskContext) throws {
        throw Retry(
            after: settings["countdown"]?.number.map { .seconds($0) },
            bound: settings["max_retries"]?.integer.map { .atMost(Int($0)) }, failure: wrapped(foo))
    }
}

/// A retry as the keyword arguments say: `countdown` 0.1, `max_retries` 1 and no `expires` if they say nothing.
private func retry(_ settings: [String: JSON]) -> Retry {
    let countdown = settings["countdown"] ?? 0.1
    let bound = settings["max_retries"] ?? 1
    return Retry(
        after: countdown.number.map { .seconds($0) }, bound: bound.integer.map { .atMost(Int($0)) },
        expires: settings["expires"]?.number.map { .seconds($0) })
}

struct RetryOnce: TaskHandler {
    static let options = suite.options("retry_once", retry: .atMost(1))
    @Rest var others: [JSON]
    @Named var settings: [String: JSON]

    func run(_ task: TaskContext) throws -> Int {
        guard task.retries > 0 else { throw retry(settings) }
        return task.retries
    }
}

struct RetryOncePriority: TaskHandler {
    static let options = suite.options("retry_once_priority", retry: .atMost(1))
    @Rest var others: [JSON]
    @Named var settings: [String: JSON]

    func run(_ task: TaskContext) throws -> Int? {
        guard task.retries > 0 else { throw retry(settings.filter { $0.key != "expires" }) }
        return task.priority
    }
}

struct RetryOnceHeaders: TaskHandler {
    static let options = suite.options("retry_once_headers", retry: .atMost(1))
    @Rest var others: [JSON]
    @Named var settings: [String: JSON]

    func run(_ task: TaskContext) throws -> JSON {
        guard task.retries > 0 else { throw retry(settings) }
        return task.headers
    }
}

struct RetryWithArgsAfterKwargs: TaskHandler {
    static let options = suite.options("retry_with_args_after_kwargs", retry: .atMost(1))
    @Arg var foo: Int
    @Arg var bar: Int
    @Arg var label: JSON?

    func run(_ task: TaskContext) throws -> JSON {
        guard task.retries > 0 else {
            let again: [JSON] = [.int(Int64(foo + 1)), .int(Int64(bar + 1))]
            throw Retry(after: .zero, arguments: again, keywords: ["label": label ?? nil])
        }
        return [
            "foo": .int(Int64(foo)), "bar": .int(Int64(bar)), "label": label ?? nil,
            "retries": .int(Int64(task.retries)), "is_eager": false,
        ]
    }
}

struct RetryWithKwargsAfterArgs: TaskHandler {
    static let options = suite.options("retry_with_kwargs_after_args", retry: .atMost(1))
    @Arg var foo: Int
    @Arg var bar: Int

    func run(_ task: TaskContext) throws -> JSON {
        guard task.retries > 0 else {
            let again: [String: JSON] = ["foo": .int(Int64(foo + 1)), "bar": .int(Int64(bar))]
            throw Retry(after: .zero, arguments: [], keywords: again)
        }
        return [
            "foo": .int(Int64(foo)), "bar": .int(Int64(bar)), "retries": .int(Int64(task.retries)), "is_eager": false,
        ]
    }
}

struct AutoRetryClassTask: TaskHandler {
    static let options = TaskOptions(name: "auto_retry_class_task", retry: .backoff(maxRetries: 1))

    func run(_ task: TaskContext) throws -> Int {
        guard task.retries > 0 else { throw TaskError(type: "ValueError", "", arguments: []) }
        return task.retries
    }
}
