// The reply to `overview`, a command of our own: what Celery's commands have no place for.
import Glibc
import Ports
import TaskModel
import TaskhostJSON

enum OverviewReply {
    /// - Parameter later: what waits in the broker for its time, by queue.
    static func json(_ engine: any EngineControl, sendsTaskEvents: Bool, later: [String: Int]) -> JSON {
        var later = later
        for task in engine.inFlightTasks where task.phase == .scheduled { later[task.routingKey, default: 0] += 1 }
        let paused = Set(engine.pausedQueues)
        let starts = engine.figures.startsByQueue
        let queues = engine.consumedQueues.map { queue -> JSON in
            [
                "name": .string(queue.name), "paused": .bool(paused.contains(queue.name)),
                "started": .int(Int64(starts[queue.name] ?? 0)),
            ]
        }
        let tasks = engine.inFlightTasks.compactMap { task -> JSON? in
            guard case .active(_, let pid) = task.phase else { return nil }
            return [
                "id": .string(task.id), "soft_limit": seconds(task.softLimit), "hard_limit": seconds(task.hardLimit),
                "memory": memory(of: pid).map { .int($0) } ?? nil, "output": task.lastLine.map { .string($0) } ?? nil,
            ]
        }
        let figures = engine.figures
        let owed: JSON = [
            "count": .int(Int64(figures.owed)), "too_much": .bool(figures.owesTooMuch),
            "because": .string(figures.owedBecause),
        ]
        let trials = engine.bundles.filter { if case .trial = $0.status { true } else { false } }
        return [
            "trials": .array(trials.map(BundlesReply.json)),
            "stopping": .bool(engine.isStopping), "task_events": .bool(sendsTaskEvents),
            "queues": .array(queues), "tasks": .array(tasks), "owed": owed,
            "later": .object(
                later.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: .int(Int64($0.value))) }),
        ]
    }

    private static func seconds(_ limit: Double?) -> JSON {
        guard let limit, limit > 0 else { return nil }
        return .double(limit)
    }

    /// Resident bytes of the task's own process, without what it has started; nil: it is gone.
    private static func memory(of pid: Int32) -> Int64? {
        guard let file = fopen("/proc/\(pid)/statm", "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = fread(&bytes, 1, bytes.count, file)
        let words = String(decoding: bytes.prefix(count), as: UTF8.self).split(separator: " ")
        return words.count > 1 ? Int64(words[1]).map { $0 * Int64(sysconf(Int32(_SC_PAGESIZE))) } : nil
    }
}
