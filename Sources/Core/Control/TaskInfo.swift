// A held task as monitors see it (celery-protocol.md §5.3, §5.4).
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum TaskInfo {
    /// Bytes of arguments that `json` reads.
    static func weight(_ task: InFlightTask) -> Int { task.args.count + task.kwargs.count + 1_024 }

    /// - Parameter safe: arguments by their notation only.
    static func json(_ task: InFlightTask, node: String, safe: Bool = false) -> JSON {
        var start = JSON.null
        var process = JSON.null
        if case .active(let since, let pid) = task.phase {
            start = .double(since.secondsSince1970)
            process = .int(Int64(pid))
        }
        return [
            "id": .string(task.id), "name": .string(task.displayName),
            "args": safe ? .string(task.argsRepr) : value(task.args),
            "kwargs": safe ? .string(task.kwargsRepr) : value(task.kwargs),
            "type": .string(task.name), "hostname": .string(node), "time_start": start,
            "acknowledged": .bool(task.isAcknowledged),
            "delivery_info": [
                "exchange": .string(task.exchange), "routing_key": .string(task.routingKey),
                "priority": .int(Int64(task.priority)), "redelivered": .bool(task.redelivered),
            ],
            "worker_pid": process,
        ]
    }

    static func scheduled(_ task: InFlightTask, node: String) -> JSON {
        [
            "eta": task.eta.map { .string(ISO8601.format($0)) } ?? .null,
            // Celery's timer entries have one, the same for all.
            "priority": 6,
            "request": json(task, node: node),
        ]
    }

    /// In few words, for lists.
    static func later(_ task: InFlightTask, queue: String) -> JSON {
        [
            "id": .string(task.id), "name": .string(task.displayName), "queue": .string(queue),
            "eta": task.eta.map { .string(ISO8601.format($0)) } ?? .null, "args": .string(task.argsRepr),
            "kwargs": .string(task.kwargsRepr),
        ]
    }

    static func place(_ task: InFlightTask) -> String {
        switch task.phase {
        case .active: "active"
        case .reserved: "reserved"
        case .scheduled: "scheduled"
        case .ready: "ready"
        }
    }

    /// The engine holds only what the decoder has checked; unreadable all the same is shown as null.
    private static func value(_ bytes: ArraySlice<UInt8>) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: bytes, limits: .trusted)
        } catch {
            return .null
        }
    }
}
