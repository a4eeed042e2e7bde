// A task invocation as data (celery-protocol.md §1.5): one task, or a chain, group or chord of such.
public import TaskhostJSON

/// A signature taken apart, so that it can be applied, frozen and changed step by step. Those who only write one use
/// `TaskhostSignature.Signature`, which is the message's JSON itself.
///
/// A value; changing a copy changes nothing else. Whatever a client put in that is not known here survives.
public struct SignatureTree: Sendable, Equatable {
    public enum Shape: Sendable, Equatable {
        case task
        case chain([SignatureTree])
        case group([SignatureTree])
        case chord(Chord)
    }

    /// A group, and what is called with the list of its results.
    public struct Chord: Sendable, Equatable {
        public var header: [SignatureTree]
        /// The header's own options once it is frozen (`task_id` …); nil: the header was a bare list.
        public var headerOptions: JSONMap?
        /// A one-element list, since a value cannot hold itself.
        private var bodies: [SignatureTree]
        /// Keyword arguments for the header's tasks.
        public var kwargs: JSON

        public var body: SignatureTree {
            get { bodies[0] }
            set { bodies[0] = newValue }
        }

        public init(
            header: [SignatureTree], headerOptions: JSONMap? = nil, body: SignatureTree, kwargs: JSON = .object([])
        ) {
            self.header = header
            self.headerOptions = headerOptions
            bodies = [body]
            self.kwargs = kwargs
        }
    }

    public var task: String
    public var args: [JSON]
    /// Without what `shape` holds.
    public var kwargs: JSONMap
    public var options: JSONMap
    public var shape: Shape
    /// Takes no arguments of its predecessor.
    public var isImmutable: Bool
    /// Keys that mean nothing to us.
    public var other: JSONMap = [:]

    public init(
        _ task: String, args: [JSON] = [], kwargs: JSONMap = [:], options: JSONMap = [:], isImmutable: Bool = false
    ) {
        self.init(task, .task, args: args, kwargs: kwargs, options: options, isImmutable: isImmutable)
    }

    init(
        _ task: String, _ shape: Shape, args: [JSON] = [], kwargs: JSONMap = [:], options: JSONMap = [:],
        isImmutable: Bool = false
    ) {
        self.task = task
        self.args = args
        self.kwargs = kwargs
        self.options = options
        self.shape = shape
        self.isImmutable = isImmutable
    }

    public static func chain(_ tasks: [SignatureTree], options: JSONMap = [:]) -> SignatureTree {
        SignatureTree("celery.chain", .chain(tasks), options: options)
    }

    public static func group(_ tasks: [SignatureTree], options: JSONMap = [:]) -> SignatureTree {
        SignatureTree("celery.group", .group(tasks), options: options)
    }

    public static func chord(_ header: [SignatureTree], body: SignatureTree, options: JSONMap = [:]) -> SignatureTree {
        SignatureTree("celery.chord", .chord(Chord(header: header, body: body)), options: options)
    }

    /// The id it has been given.
    public var id: String? { options.text("task_id") }

    public var isGroup: Bool { if case .group = shape { true } else { false } }
    public var isChain: Bool { if case .chain = shape { true } else { false } }

    /// The members of a chain or a group.
    var members: [SignatureTree]? {
        switch shape {
        case .chain(let tasks), .group(let tasks): tasks
        case .task, .chord: nil
        }
    }
}
