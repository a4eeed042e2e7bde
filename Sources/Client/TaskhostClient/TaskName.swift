// Tasks called like functions.
public import TaskhostJSON
public import TaskhostSignature

/// A task's name that makes signatures: `let add = TaskName("demo.add")`, then `add(4, 6) | double()`.
public struct TaskName: Sendable, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ name: String) { description = name }

    /// With literals and JSON values, which need no encoding.
    public func callAsFunction(_ arguments: JSON...) -> Signature { Signature(description, arguments: arguments) }

    /// - Throws: `ClientError.argument`: one cannot be sent as JSON.
    @_disfavoredOverload
    public func callAsFunction(
        _ arguments: any Encodable & Sendable..., kwargs: [String: any Encodable & Sendable] = [:]
    ) throws(ClientError) -> Signature {
        try Signature(description, args: arguments, kwargs: kwargs)
    }
}
