// A held task as monitors see it (celery-wire.md §5.3, §5.4).
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum TaskInfo {
    /// - Parameter safe: arguments by their notation only.
    static func json(_ task: HeldTask, node: String, safe: Bool = false) -> JSON {
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

    static func scheduled(_ task: HeldTask, node: String) -> JSON {
        [
            "eta": task.eta.map { .string(ISO8601.format($0)) } ?? .null,
            // Celery's timer entries have one, the same for all.
            "priority": 6,
            "request": json(task, node: node),
        ]
    }

    static func place(_ task: HeldTask) -> String {
        switch task.phase {
        case .active: "active"
        case .reserved: "reserved"
        case .scheduled: "scheduled"
        case .ready: "ready"
        }
    }

    /// The engine holds only what the decoder has checked; unreadable all the same is told as null.
    private static func value(_ bytes: [UInt8]) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: bytes, limits: .trusted)
        } catch {
            return .null
        }
    }
}
