// What will become of a published signature, as clients know it (celery-protocol.md §4.3).
public import TaskhostJSON

/// A task's or a group's result-to-be. Parents are found out one after the other, hence a reference.
/// Confined to the thread of the `Canvas` that made it.
public final class ResultNode {
    public let id: String
    /// What it waits for: the step before it, or the header of its chord.
    public internal(set) var parent: ResultNode?
    /// nil: a task.
    public let members: [ResultNode]?

    init(_ id: String, members: [ResultNode]? = nil) {
        self.id = id
        self.members = members
    }

    /// The first of its line.
    var eldest: ResultNode {
        var node = self
        while let parent = node.parent { node = parent }
        return node
    }

    /// `[[id, parent], null]`, or `[[id, parent], [members]]`.
    public var json: JSON {
        [[.string(id), parent?.json ?? nil], members.map { .array($0.map(\.json)) } ?? nil]
    }
}
