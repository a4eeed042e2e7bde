// The fleet at a glance, put together from workers' replies. Pure.
import Output
package import TaskhostJSON

package struct FleetStatus {
    struct Running {
        var id: String
        /// As one would call it.
        var call: String
        var name: String
        /// Unix time; nil: unknown.
        var started: Double?
        var pid: Int64?
        /// Told by taskhost's workers only.
        var details: Details?

        func age(at now: Double) -> Double? { started.map { max(0, now - $0) } }
    }

    struct Details {
        /// Seconds; nil: none.
        var softLimit: Double?
        var hardLimit: Double?
        /// Resident bytes.
        var memory: Int64?
        /// What it said last.
        var output: String?
    }

    package struct Node {
        var name: String
        /// "taskhost 0.1.0"; empty: unknown.
        var version = ""
        var uptime: Double?
        var slots: Int64?
        /// Seconds a task may run, unless it says otherwise; nil: for ever.
        var limit: Double?
        var queues: [String] = []
        /// Of these.
        var paused: Set<String> = []
        /// Starts since its own start, by queue; nil: it is no taskhost, and cannot pause queues either.
        var started: [String: Int64]?
        /// Tasks started since its own start.
        var total: Int64 = 0
        var running: [Running] = []
        /// It was told to end, takes nothing more and finishes what runs; known of taskhost's workers only.
        var isStopping = false
        var waiting: Int?
        /// Ended tasks that wait to be recorded.
        var owed: Int64 = 0
        var owesTooMuch = false
        var owedBecause = ""
        /// "demo 2.0 is on trial: 5 % of its runs, 0 of 12 crashed".
        var trials: [String] = []
        /// Due later, as far as it tells: a hundred may be more.
        var later: Int?
        /// Due later, by queue; known of taskhost's workers only.
        var laterByQueue: [String: Int]?

        var queueList: String { queues.map { paused.contains($0) ? "\($0)(paused)" : $0 }.joined(separator: ",") }
    }

    package var nodes: [Node]

    /// - Parameter replies: by method, as `ask` gives them.
    package init(_ replies: [String: [JSONMember]]) {
        var nodes: [String: Node] = [:]
        func each(_ method: String, _ fill: (inout Node, JSON) -> Void) {
            for reply in replies[method] ?? [] {
                fill(&nodes[reply.key, default: Node(name: reply.key)], reply.value)
            }
        }
        each("stats") { node, reply in
            node.uptime = reply["uptime"]?.number
            node.slots = reply["pool"]?["max-concurrency"]?.integer
            node.limit = reply["pool"]?["timeouts"]?.elements?.last?.number.flatMap { $0 > 0 ? $0 : nil }
            node.total = (reply["total"]?.members ?? []).compactMap(\.value.integer).saturatedSum
        }
        each("active_queues") { node, reply in
            let queues = reply.elements ?? []
            node.queues = queues.compactMap { $0["name"]?.text }
            node.paused = Set(queues.filter { $0["paused"] == true }.compactMap { $0["name"]?.text })
        }
        each("active") { node, reply in
            node.running = (reply.elements ?? []).map(Self.running)
                .sorted { ($0.started ?? .infinity) < ($1.started ?? .infinity) }
        }
        each("overview") { node, reply in
            guard let queues = reply["queues"]?.elements else { return }
            node.isStopping = reply["stopping"]?.boolean ?? false
            node.owed = reply["owed"]?["count"]?.integer ?? 0
            node.owesTooMuch = reply["owed"]?["too_much"]?.boolean ?? false
            node.owedBecause = reply["owed"]?["because"]?.text ?? ""
            node.trials = (reply["trials"]?.elements ?? []).map(BundleVersions.trial)
            var started: [String: Int64] = [:]
            for queue in queues { started[queue["name"]?.text ?? ""] = queue["started"]?.integer }
            node.started = started
            if let later = reply["later"]?.members {
                node.laterByQueue = Dictionary(later.map { ($0.key, Int($0.value.integer ?? 0)) }) { $1 }
            }
            var details: [String: Details] = [:]
            for task in reply["tasks"]?.elements ?? [] { details[task["id"]?.text ?? ""] = Details(task) }
            for index in node.running.indices { node.running[index].details = details[node.running[index].id] }
        }
        each("scheduled") { node, reply in node.later = reply.elements?.count }
        each("reserved") { node, reply in node.waiting = reply.elements?.count }
        each("report") { node, reply in node.version = Self.version(reply["ok"]?.text ?? "") }
        self.nodes = nodes.values.sorted { $0.name < $1.name }
    }

    package static let methods = ["stats", "active_queues", "active", "reserved", "scheduled", "report", "overview"]

    /// What is asked where tasks are looked at one by one.
    static let methodsInDepth = ["stats", "active_queues", "active", "reserved", "overview"]

    private static func running(_ task: JSON) -> Running {
        let name = task["name"]?.text ?? task["type"]?.text ?? "?"
        return Running(
            id: task["id"]?.text ?? "?", call: name + arguments(task), name: task["type"]?.text ?? name,
            started: task["time_start"]?.number, pid: task["worker_pid"]?.integer)
    }

    /// `(4, y=6)`; texts, as some workers tell them, as they are.
    private static func arguments(_ task: JSON) -> String {
        guard let args = task["args"]?.elements else { return task["args"]?.text ?? "" }
        let named = (task["kwargs"]?.members ?? []).map { "\($0.key)=\(Console.text($0.value))" }
        return "(" + (args.map(Console.text) + named).joined(separator: ", ") + ")"
    }

    /// From `software -> celery:5.7 taskhost:0.1.0`, where Celery stands for the protocol, or Celery's own
    /// `software -> celery:5.7.0 (…) kombu:…`.
    private static func version(_ report: String) -> String {
        guard let line = report.split(separator: "\n").first(where: { $0.hasPrefix("software -> ") }) else { return "" }
        let words = line.dropFirst(12).split(separator: " ")
        let word = words.first { $0.hasPrefix("taskhost:") } ?? words.first ?? ""
        return word.split(separator: ":").joined(separator: " ")
    }

    package func json(at now: Double) -> JSON {
        func optional(_ value: Double?) -> JSON { value.map(JSON.double) ?? .null }
        return .object(
            nodes.map { node in
                let running = node.running.map { task -> JSON in
                    [
                        "id": .string(task.id), "name": .string(task.name), "call": .string(task.call),
                        "age": optional(task.age(at: now)), "pid": task.pid.map(JSON.int) ?? .null,
                    ]
                }
                let value: JSON = [
                    "version": .string(node.version), "uptime": optional(node.uptime),
                    "slots": node.slots.map(JSON.int) ?? .null, "busy": .int(Int64(node.running.count)),
                    "waiting": node.waiting.map { .int(Int64($0)) } ?? .null,
                    "later": node.later.map { .int(Int64($0)) } ?? .null, "started": .int(node.total),
                    "owed": .int(node.owed), "owes_too_much": .bool(node.owesTooMuch),
                    "stopping": .bool(node.isStopping), "trials": .array(node.trials.map(JSON.string)),
                    "queues": .array(node.queues.map(JSON.string)),
                    "paused": .array(node.paused.sorted().map(JSON.string)), "running": .array(running),
                ]
                return JSONMember(key: node.name, value: value)
            })
    }
}

extension FleetStatus.Details {
    init(_ task: JSON) {
        self.init(
            softLimit: task["soft_limit"]?.number, hardLimit: task["hard_limit"]?.number,
            memory: task["memory"]?.integer, output: task["output"]?.text)
    }
}
