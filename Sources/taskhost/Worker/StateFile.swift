// The file with what outlives a restart: revoked ids and stamps. Replaced as a whole, so that it is never half written.
import Engine
import Foundation
import Glibc
import Ports
import TaskModel
import TaskhostJSON

struct StateFile {
    let path: String
    private static let version: Int64 = 1

    /// nil: there is none yet.
    func read() throws(CommandFailure) -> RevocationMemory? {
        guard access(path, F_OK) == 0 else { return nil }
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw .configuration(
                "the state file \(path) cannot be read: \(error.localizedDescription)",
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
            fix: "move it away (its revocations are forgotten then), or name another with --statedb")
    }

    func write(_ memory: RevocationMemory) throws(CommandFailure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(temporary) }
        defer { close(descriptor) }
        var bytes = Self.json(memory).bytes[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written < 0, errno != EINTR { throw unwritable(temporary) }
            bytes = bytes.dropFirst(max(0, written))
        }
        guard fsync(descriptor) == 0 else { throw unwritable(temporary) }
        guard rename(temporary, path) == 0 else { throw unwritable(path) }
    }

    private func unwritable(_ path: String) -> CommandFailure {
        CommandFailure(
            .cannotCreate, "cannot write the state file \(path): \(String(cString: strerror(errno)))",
            fix: "name a writable place with --statedb")
    }

    private static func json(_ memory: RevocationMemory) -> JSON {
        [
            "taskhost_state": .int(version),
            "revoked": .array(memory.ids.map { [.string($0.id), .double($0.revokedAt.secondsSince1970)] }),
            "revoked_stamps": .object(
                memory.stamps.map { JSONMember(key: $0.name, value: .array($0.values.map { .string($0) })) }),
        ]
    }

    private static func memory(_ json: JSON) -> RevocationMemory? {
        guard json["taskhost_state"]?.integer == version, let ids = json["revoked"]?.elements,
            let stamps = json["revoked_stamps"]?.members
        else { return nil }
        var memory = RevocationMemory()
        for pair in ids {
            guard let pair = pair.elements, pair.count == 2, let id = pair[0].text, let seconds = pair[1].number
            else { return nil }
            memory.ids.append(.init(id: id, revokedAt: WallTime(secondsSince1970: seconds)))
        }
        for stamp in stamps {
            guard let values = stamp.value.elements else { return nil }
            memory.stamps.append(RevokedStamp(name: stamp.key, values: values.compactMap(\.text)))
        }
        return memory
    }
}
