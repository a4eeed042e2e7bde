// A task invocation as data (celery-wire.md §1.5): one task, or a chain, group or chord of such.
public import TaskhostJSON

/// A value; changing a copy changes nothing else. Whatever a client put in that is not known here survives.
public struct Signature: Sendable, Equatable {
    public enum Shape: Sendable, Equatable {
        case task
        case chain([Signature])
        case group([Signature])
        case chord(Chord)
    }

    /// A group, and what is called with the list of its results.
    public struct Chord: Sendable, Equatable {
        public var header: [Signature]
        /// The header's own options once it is frozen (`task_id` …); nil: the header was a bare list.
        public var headerOptions: JSONMap?
        /// A one-element list, since a value cannot hold itself.
        private var bodies: [Signature]
        /// Keyword arguments for the header's tasks.
        public var kwargs: JSON

        public var body: Signature {
            get { bodies[0] }
            set { bodies[0] = newValue }
        }

        public init(header: [Signature], headerOptions: JSONMap? = nil, body: Signature, kwargs: JSON = .object([])) {
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

    public static func chain(_ tasks: [Signature], options: JSONMap = [:]) -> Signature {
        Signature("celery.chain", .chain(tasks), options: options)
    }

    public static func group(_ tasks: [Signature], options: JSONMap = [:]) -> Signature {
        Signature("celery.group", .group(tasks), options: options)
    }

    public static func chord(_ header: [Signature], body: Signature, options: JSONMap = [:]) -> Signature {
        Signature("celery.chord", .chord(Chord(header: header, body: body)), options: options)
    }

    /// The id it has been given.
    public var id: String? { options.text("task_id") }

    public var isGroup: Bool { if case .group = shape { true } else { false } }
    public var isChain: Bool { if case .chain = shape { true } else { false } }

    /// The members of a chain or a group.
    var members: [Signature]? {
        switch shape {
        case .chain(let tasks), .group(let tasks): tasks
        case .task, .chord: nil
        }
    }
}
