// The results of a chord's header that has groups within groups: which tasks they are, and how they join.
import TaskModel
import TaskhostJSON

/// A group tuple as Celery saves it (celery-protocol.md §4.3): `[["<id>", parent], null]` is a task,
/// `[["<id>", parent], [member, …]]` a group of such.
public struct SavedGroup: Sendable {
    /// Why a saved group or a member's result cannot be used; a sentence.
    public struct Unreadable: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    private indirect enum Member: Sendable {
        case task(String)
        case group([Member])
    }

    private enum Joined {
        case value(JSON)
        case failed(id: String, state: String, value: JSON)
    }

    private let members: [(id: String, member: Member)]
    /// Every task in it, in order.
    public let taskIDs: [String]

    /// - Parameter document: `{"result": tuple}`, as the group's key holds it, or the tuple itself.
    public init(document: [UInt8]) throws(Unreadable) {
        let tree = try Self.parse(document, "The saved group")
        guard case .array(let pair) = tree["result"] ?? tree, pair.count == 2, case .array(let children) = pair[1]
        else {
            throw Unreadable(description: "The saved group is no group tuple")
        }
        var found: [(String, Member)] = []
        for child in children { found.append(try Self.member(child)) }
        members = found
        var ids: [String] = []
        for item in found { Self.collect(item.1, into: &ids) }
        taskIDs = ids
    }

    /// One part per member of the outermost group, in order, each JSON `[1, id, state, value]`. A nested group's value
    /// is the list of its members' values; when one of them failed, the part is that one's.
    /// - Parameter metas: documents by task id (celery-protocol.md §4.1).
    /// - Returns: nil while one of the tasks has not come to its end.
    public func parts(_ metas: [String: [UInt8]]) throws(Unreadable) -> [[UInt8]]? {
        var parts: [[UInt8]] = []
        for (id, member) in members {
            switch try Self.join(member, metas) {
            case nil: return nil
            case .value(let value)?:
                parts.append(Self.part(id, TaskState.success.rawValue, value))
            case .failed(let failedID, let state, let value)?:
                parts.append(Self.part(failedID, state, value))
            }
        }
        return parts
    }

    private static func part(_ id: String, _ state: String, _ value: JSON) -> [UInt8] {
        JSON.array([.int(1), .string(id), .string(state), value]).bytes
    }

    private static func member(_ tuple: JSON) throws(Unreadable) -> (String, Member) {
        guard case .array(let pair) = tuple, pair.count == 2, let id = pair[0].elements?.first?.text else {
            throw Unreadable(description: "A member of the saved group is no result tuple")
        }
        guard case .array(let children) = pair[1] else { return (id, .task(id)) }
        var members: [Member] = []
        for child in children { members.append(try member(child).1) }
        return (id, .group(members))
    }

    private static func collect(_ member: Member, into ids: inout [String]) {
        switch member {
        case .task(let id): ids.append(id)
        case .group(let members): for member in members { collect(member, into: &ids) }
        }
    }

    private static func join(_ member: Member, _ metas: [String: [UInt8]]) throws(Unreadable) -> Joined? {
        switch member {
        case .task(let id):
            guard let document = metas[id] else { return nil }
            let meta = try parse(document, "The result of \(id)")
            let value = meta["result"] ?? .null
            switch meta["status"]?.text {
            case TaskState.success.rawValue?: return .value(value)
            case let state? where state == TaskState.failure.rawValue || state == TaskState.revoked.rawValue:
                return .failed(id: id, state: state, value: value)
            default: return nil
            }
        case .group(let members):
            var values: [JSON] = []
            for member in members {
                switch try join(member, metas) {
                case nil: return nil
                case .value(let value)?: values.append(value)
                case .failed(let id, let state, let value)?: return .failed(id: id, state: state, value: value)
                }
            }
            return .value(.array(values))
        }
    }

    private static func parse(_ document: [UInt8], _ what: String) throws(Unreadable) -> JSON {
        do {
            return try JSON(parsing: document, limits: .trusted)
        } catch {
            throw Unreadable(description: "\(what) cannot be read: \(error)")
        }
    }
}
