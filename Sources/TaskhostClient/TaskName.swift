// Tasks called like functions.

/// A task's name that makes signatures: `let add = TaskName("demo.add")`, then `add(4, 6) | double()`.
public struct TaskName: Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ name: String) { description = name }

    public func callAsFunction(
        _ arguments: any Encodable & Sendable..., kwargs: [String: any Encodable & Sendable] = [:]
    ) -> Signature {
        Signature(description, args: arguments, kwargs: kwargs)
    }
}
