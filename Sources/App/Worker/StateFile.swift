// The file with what outlives a restart: revoked ids and stamps, and which queues are paused.
import Engine
import Glibc
import Linux
import Output
import Ports
import TaskModel
import TaskhostJSON

struct StateFile {
    let path: String
    private static let version: Int64 = 1

    /// nil: there is none yet.
    func read() throws(CommandFailure) -> EngineMemory? {
        guard access(path, F_OK) == 0 else { return nil }
        let bytes: [UInt8]
        do throws(SystemFailure) {
            bytes = try Files.read(path)
        } catch {
            throw .configuration(
                "the state file \(path) cannot be read: \(error)",
                fix: "make it readable for this user, or name another with --statedb")
        }
        do {
            // As much as we ever write: every id and its time, and stamps.
            let json = try JSON(parsing: bytes, limits: JSONLimits(maxDepth: 8, maxNodes: 2_000_000))
            if let memory = Self.memory(json) { return memory }
        } catch {
            throw broken("\(error)")
        }
        throw broken("it is not one of ours, or of a newer version")
    }

    private func broken(_ reason: String) -> CommandFailure {
        .configuration(
            "the state file \(path) does not hold the state of a worker: \(reason)",
            fix: "move it away (what it keeps is forgotten then), or name another with --statedb")
    }

    func write(_ memory: EngineMemory) throws(CommandFailure) {
        do {
            try WholeFile.write(Self.json(memory).bytes, to: path)
        } catch {
            throw CommandFailure(
                .cannotCreate, "cannot write the state file \(error.path): \(error.reason)",
                fix: "name a writable place with --statedb")
        }
    }

    private static func json(_ memory: EngineMemory) -> JSON {
        [
            "taskhost_state": .int(version),
            "revoked": .array(memory.ids.map { [.string($0.id), .double($0.revokedAt.secondsSince1970)] }),
            "revoked_stamps": .object(
                memory.stamps.map { JSONMember(key: $0.name, value: .array($0.values.map { .string($0) })) }),
            "paused_queues": .array(memory.pausedQueues.map(JSON.string)),
        ]
    }

    private static func memory(_ json: JSON) -> EngineMemory? {
        guard json["taskhost_state"]?.integer == version, let ids = json["revoked"]?.elements,
            let stamps = json["revoked_stamps"]?.members
        else { return nil }
        var memory = EngineMemory()
        for pair in ids {
            guard let pair = pair.elements, pair.count == 2, let id = pair[0].text, let seconds = pair[1].number
            else { return nil }
            memory.ids.append(.init(id: id, revokedAt: WallTime(secondsSince1970: seconds)))
        }
        for stamp in stamps {
            guard let values = stamp.value.elements else { return nil }
            memory.stamps.append(RevokedStamp(name: stamp.key, values: values.compactMap(\.text)))
        }
        // Older files have none.
        memory.pausedQueues = (json["paused_queues"]?.elements ?? []).compactMap(\.text)
        return memory
    }
}
