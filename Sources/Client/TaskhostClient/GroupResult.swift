// The results of a group, and the tree that results of canvases form.
public import TaskhostJSON

/// The results of tasks that run side by side, in the order in which they were written.
public final class GroupResult: Sendable, Identifiable {
    /// The group's id.
    public let id: String
    public let members: [ResultNode]
    /// What came before it in its chain.
    public let parent: ResultNode?

    init(_ id: String, members: [ResultNode], parent: ResultNode? = nil) {
        self.id = id
        self.members = members
        self.parent = parent
    }

    /// Every task of the group, nested groups' included.
    public var results: [AsyncResult] { members.flatMap(\.results) }

    /// Waits for all and decodes what they returned, nested as the groups are.
    /// - Parameter timeout: for all of them together; nil: as long as it takes.
    /// - Throws: `TaskFailed` of the first failed member, in the order of the members.
    public func get<Value: Decodable>(
        as type: [Value].Type = [Value].self, timeout: Duration? = nil
    ) async throws -> [Value] {
        try ValueCoding.decode(type, from: try await value(timeout: timeout))
    }

    /// The same, undecoded.
    public func value(timeout: Duration? = nil) async throws -> JSON {
        let deadline = timeout.map { ContinuousClock.now.advanced(by: $0) }
        var values: [JSON] = []
        for member in members {
            let left = deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
            switch member {
            case .task(let result): values.append(try await result.value(timeout: left))
            case .group(let group): values.append(try await group.value(timeout: left))
            }
        }
        return .array(values)
    }

    /// How many tasks have ended with success.
    public var completedCount: Int {
        get async throws {
            var count = 0
            for result in results where try await result.state == "SUCCESS" { count += 1 }
            return count
        }
    }

    public var isReady: Bool {
        get async throws {
            for result in results where try await !result.isReady { return false }
            return true
        }
    }

    public func forget() async throws {
        for result in results { try await result.forget() }
    }
}

/// What a canvas leaves: a task's result, or a group's.
public indirect enum ResultNode: Sendable {
    case task(AsyncResult)
    case group(GroupResult)

    /// Every task below.
    public var results: [AsyncResult] {
        switch self {
        case .task(let result): [result]
        case .group(let group): group.results
        }
    }

    /// From `[[id, parent], null]` or `[[id, parent], [member, …]]` (celery-protocol.md §4.3); nil: something else.
    init?(_ tuple: JSON, _ thread: LoopThread) {
        guard let parts = tuple.elements, parts.count == 2, let head = parts[0].elements, let id = head.first?.text
        else { return nil }
        let parent = head.count > 1 ? ResultNode(head[1], thread) : nil
        if let members = parts[1].elements {
            self = .group(
                GroupResult(id, members: members.compactMap { ResultNode($0, thread) }, parent: parent))
        } else {
            self = .task(AsyncResult(id, parent: parent, thread))
        }
    }
}
