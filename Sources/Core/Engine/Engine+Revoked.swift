// What a revocation means for tasks that are not here to be ended: their state, and how long it is remembered.
import CeleryWire
import Ports
import TaskModel

/// Clients need not wait until a task's message comes. One that is due later than revocations are remembered is looked
/// for in the broker, and remembered until then. A bounded number of ids at a time, each batch in a loop iteration of
/// its own, however many one command names. On the loop.
final class RevokedSearch {
    /// Ids asked of the broker at a time.
    private static let atATime = 500
    /// Members of one workflow that get their state REVOKED at once; further ones do when their time comes.
    private static let maxMembers = 1_000

    private unowned let engine: Engine
    private var waiting: [(ids: [String], active: Set<String>)] = []
    private var isAsking = false

    init(_ engine: Engine) { self.engine = engine }

    /// - Parameter active: those of them that run, and members of workflows among them.
    func add(_ ids: [String], except active: Set<String>) {
        guard !ids.isEmpty else { return }
        let roots = Set(ids.compactMap(RevokedWorkflow.root))
        if !roots.isEmpty {
            engine.revocationMarks?.add(
                engine.core.inFlight.values.filter { item in
                    guard roots.contains(item.message.rootID ?? item.message.id), item.execution == nil else {
                        return false
                    }
                    if item.settling != nil { return false }
                    return true
                }.map(\.message.id))
        }
        for first in stride(from: 0, to: ids.count, by: Self.atATime) {
            waiting.append((Array(ids[first..<min(first + Self.atATime, ids.count)]), active))
        }
        proceed()
    }

    private func proceed() {
        guard !isAsking, let (ids, active) = waiting.first else { return }
        isAsking = true
        waiting.removeFirst()
        let names = Set(ids.map { RevokedWorkflow.root(of: $0) ?? $0 })
        engine.laterTasks(names, limit: Self.maxMembers) { [weak self] later in
            guard let self else { return }
            noteLater(later, revoked: Set(ids))
            let found = Set(later.next.map(\.task.id))
            engine.revocationMarks?.add(
                ids.filter { RevokedWorkflow.root(of: $0) == nil && !active.contains($0) && !found.contains($0) })
            // A broker that answers at once must not make one long loop iteration of them all.
            engine.loop.nextTurn { [weak self] in
                self?.isAsking = false
                self?.proceed()
            }
        }
    }

    private func noteLater(_ later: LaterTasks, revoked ids: Set<String>) {
        for entry in later.next {
            let workflow = RevokedWorkflow.id(root: entry.rootID ?? entry.task.id)
            let id = ids.contains(entry.task.id) ? entry.task.id : workflow
            guard ids.contains(id) else { continue }
            if let eta = entry.task.eta {
                engine.handle(.keepRevoked(id, until: eta.advanced(bySeconds: RevocationMarks.margin)))
            }
            engine.revocationMarks?.add([entry.task.id], due: entry.task.eta)
        }
    }
}
