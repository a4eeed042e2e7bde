// Calls that are not made yet, with arguments of any type: what canvases consist of.
@_exported public import TaskhostSignature

extension Signature {
    /// One task with arguments that are `Encodable`. Literals and JSON values need no encoding, so no `try`.
    ///
    ///     let sum = try Signature("demo.add", four, six) | Signature("demo.double")
    ///     let total = group(Signature("demo.add", 1, 2), Signature("demo.add", 3, 4)) | Signature("demo.sum")
    ///
    /// - Throws: `ClientError.argument`: one cannot be sent as JSON.
    @_disfavoredOverload
    public init(
        _ task: String, _ arguments: any Encodable & Sendable..., kwargs: [String: any Encodable & Sendable] = [:]
    ) throws(ClientError) {
        try self.init(task, args: arguments, kwargs: kwargs)
    }

    /// The same with a list.
    public init(
        _ task: String, args: [any Encodable & Sendable], kwargs: [String: any Encodable & Sendable] = [:]
    ) throws(ClientError) {
        var list: [JSON] = []
        for argument in args { list.append(try ValueCoding.json(argument)) }
        var members: [String: JSON] = [:]
        for (key, value) in kwargs { members[key] = try ValueCoding.json(value) }
        self.init(task, arguments: list, keywords: members)
    }

    /// The same with these options, over those it has.
    public func options(_ change: (inout CallOptions) -> Void) -> Signature {
        var options = CallOptions()
        change(&options)
        return options.members.reduce(self) { $0.option($1.key, $1.value) }
    }

    /// The same, with something that is sent when it succeeds; the result is its first argument.
    public func onSuccess(_ next: some Composable) -> Signature { linked(to: next.signature) }

    /// The same, with something that is sent when it fails; the failed task's id is its first argument.
    public func onError(_ next: some Composable) -> Signature { linkedError(to: next.signature) }
}

/// What can stand in a canvas.
public protocol Composable: Sendable {
    var signature: Signature { get }
}

extension Signature: Composable {
    public var signature: Signature { self }
}

/// Runs all of them side by side.
public func group(_ members: any Composable...) -> Group { group(members) }

public func group(_ members: [any Composable]) -> Group { Group(members: members.map(\.signature)) }

/// One after the other; the result of each goes to the next.
public func chain(_ first: Signature, _ others: Signature...) -> Signature { others.reduce(first) { $0 | $1 } }

/// Runs all of the header side by side, then the body with the list of their results.
public func chord(_ header: [any Composable], _ body: Signature) -> Signature {
    .chord(header.map(\.signature), body: body)
}
