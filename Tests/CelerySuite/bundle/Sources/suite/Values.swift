// What the tasks do with JSON values: Python's + on numbers, texts and lists, and its sum().

import TaskhostSDK

/// The tasks' names begin with it, save for those with a name of their own.
let module = "t.integration.tasks"

func typeError(_ text: String) -> TaskError { TaskError(type: "TypeError", text) }

/// An exception that the suite defines.
func expectedException(_ arguments: [JSON]) -> TaskError {
    TaskError(type: "ExpectedException", module: module, "\(arguments)", arguments: arguments)
}

func sum(_ left: JSON, _ right: JSON) throws(TaskError) -> JSON {
    switch (left, right) {
    case (.int(let left), .int(let right)):
        let (sum, isTooLarge) = left.addingReportingOverflow(right)
        return isTooLarge ? .double(Double(left) + Double(right)) : .int(sum)
    case (.string(let left), .string(let right)): return .string(left + right)
    case (.array(let left), .array(let right)): return .array(left + right)
    default:
        guard let left = left.number, let right = right.number else {
            throw typeError("unsupported operand type(s) for +")
        }
        return .double(left + right)
    }
}

func product(_ left: JSON, _ right: JSON) throws(TaskError) -> JSON {
    if case (.int(let left), .int(let right)) = (left, right) {
        let (product, isTooLarge) = left.multipliedReportingOverflow(by: right)
        if !isTooLarge { return .int(product) }
    }
    guard let left = left.number, let right = right.number else {
        throw typeError("unsupported operand type(s) for *")
    }
    return .double(left * right)
}

func sum(of values: [JSON]) throws(TaskError) -> JSON {
    var total: JSON = 0
    for value in values { total = try sum(total, value) }
    return total
}

/// Of no value and of 0 nothing is said to be there.
func isTruthy(_ value: JSON?) -> Bool {
    switch value {
    case nil, .null?: false
    case .bool(let value)?: value
    case .string(let text)?: !text.isEmpty
    case .array(let list)?: !list.isEmpty
    case .object(let members)?: !members.isEmpty
    case let value?: value.number != 0
    }
}

func task(_ name: String, _ arguments: JSON..., keywords: [String: JSON] = [:]) -> Signature {
    Signature("\(module).\(name)", arguments: arguments, keywords: keywords)
}

/// The suite's app leaves Celery's default, acknowledgement before the start, and asserts it.
func options(
    _ name: String, retry: RetryPolicy? = nil, softLimit: Duration? = nil, hardLimit: Duration? = nil,
    acksLate: Bool = false, ignoreResult: Bool? = nil, takesFailure: Bool? = nil
) -> TaskOptions {
    TaskOptions(
        name: "\(module).\(name)", softLimit: softLimit, hardLimit: hardLimit, retry: retry, acksLate: acksLate,
        ignoreResult: ignoreResult, takesFailure: takesFailure)
}
