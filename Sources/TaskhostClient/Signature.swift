// A call that is not made yet: what canvases consist of.
import TaskhostJSON

/// Something with one result: a task, a chain that ends in one, or a chord.
///
///     let sum = Signature("demo.add", 4, 6) | Signature("demo.double")
///     let total = group(Signature("demo.add", 1, 2), Signature("demo.add", 3, 4)) | Signature("demo.sum")
///
/// The result of one step is put before the arguments of the next, unless that one is `immutable`.
public struct Signature: Composable {
    indirect enum Form: Sendable {
        /// The value's properties are the keyword arguments.
        case call(String, any Encodable & Sendable)
        case task(String, args: [any Encodable & Sendable], kwargs: [String: any Encodable & Sendable])
        /// In order; a group followed by something is a chord's header.
        case chain([Step])
        case chord(header: [Step], body: Step)
    }

    var form: Form
    var options = CallOptions()
    var isImmutable = false
    var links: [Step] = []
    var errorLinks: [Step] = []

    init(_ form: Form) { self.form = form }

    public init(
        _ task: String, _ arguments: any Encodable & Sendable..., kwargs: [String: any Encodable & Sendable] = [:]
    ) {
        self.init(task, args: arguments, kwargs: kwargs)
    }

    public init(
        _ task: String, args: [any Encodable & Sendable], kwargs: [String: any Encodable & Sendable] = [:]
    ) {
        form = .task(task, args: args, kwargs: kwargs)
    }

    /// The same with other options.
    public func options(_ change: (inout CallOptions) -> Void) -> Signature {
        var made = self
        change(&made.options)
        return made
    }

    /// The same, but what comes before it does not change its arguments.
    public func immutable() -> Signature {
        var made = self
        made.isImmutable = true
        return made
    }

    /// The same, with something that is sent when it succeeds; the result is its first argument.
    public func onSuccess(_ next: some Composable) -> Signature {
        var made = self
        made.links.append(next.step)
        return made
    }

    /// The same, with something that is sent when it fails; the failed task's id is its first argument.
    public func onError(_ next: some Composable) -> Signature {
        var made = self
        made.errorLinks.append(next.step)
        return made
    }

    public var step: Step { .one(self) }
}

/// Several signatures that run side by side, perhaps after something else. Its result is the list of theirs.
public struct Group: Composable {
    var members: [Step]
    /// What runs before the group, in order.
    var lead: [Step] = []
    var options = CallOptions()

    public var step: Step { .many(self) }

    /// The same with other options; they hold for each member.
    public func options(_ change: (inout CallOptions) -> Void) -> Group {
        var made = self
        change(&made.options)
        return made
    }
}

/// What can stand in a canvas.
public protocol Composable: Sendable {
    var step: Step { get }
}

public indirect enum Step: Sendable {
    case one(Signature)
    case many(Group)
}

/// Runs all of them side by side.
public func group(_ members: any Composable...) -> Group { Group(members: members.map(\.step)) }

public func group(_ members: [any Composable]) -> Group { Group(members: members.map(\.step)) }

/// One after the other; the result of each goes to the next.
public func chain(_ first: Signature, _ others: Signature...) -> Signature { others.reduce(first) { $0 | $1 } }

/// Runs all of the header side by side, then the body with the list of their results.
public func chord(_ header: [any Composable], _ body: Signature) -> Signature {
    Signature(.chord(header: header.map(\.step), body: body.step))
}

extension Signature {
    /// First the left one, then the right one with its result.
    public static func | (left: Signature, right: Signature) -> Signature {
        Signature(.chain(left.steps + right.steps))
    }

    /// First the left one, then each member with its result.
    public static func | (left: Signature, right: Group) -> Group {
        var made = right
        made.lead = left.steps + right.lead
        return made
    }

    /// A chord: the right one gets the list of the results.
    public static func | (left: Group, right: Signature) -> Signature {
        Signature(.chain(left.steps + right.steps))
    }

    /// The steps of a chain that says nothing of its own; itself otherwise.
    private var steps: [Step] {
        if case .chain(let steps) = form, links.isEmpty, errorLinks.isEmpty, options.members.isEmpty { return steps }
        return [step]
    }
}

extension Group {
    /// Each member of the right one gets the list of the left one's results.
    public static func | (left: Group, right: Group) -> Group {
        var made = right
        made.lead = left.steps + right.lead
        return made
    }

    var steps: [Step] {
        var alone = self
        alone.lead = []
        return lead + [.many(alone)]
    }
}
