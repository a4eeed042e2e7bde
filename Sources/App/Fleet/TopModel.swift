// What `taskhost top` knows, and what keys do to it. Pure: replies and keys in, commands out.
import Client
import TaskhostJSON

struct TopModel {
    enum Key { case up, down, letter(Character) }
    enum Row: Equatable {
        case queue(String)
        case task(node: String, id: String)
    }
    enum Reaction {
        case nothing, quit
        case tell([ControlQuestion])
    }

    struct Queue {
        var name: String
        /// Workers that consume it, or did until it was paused here.
        var nodes: [String]
        /// Of these; a worker of Celery's that left the queue by command counts among them.
        var pausedAt: Set<String> = []
        var depth: Int?
        /// Due later; nil: unknown.
        var later: Int?
        /// Starts per second, at workers that tell; nil: not known yet.
        var rate: Double?

        var isPaused: Bool { pausedAt.isSuperset(of: nodes) }
    }

    private(set) var fleet = FleetStatus([:])
    private(set) var queues: [Queue] = []
    /// Tasks started per second, of all workers; nil: not known yet.
    private(set) var rate: Double?
    private(set) var selection = 0
    /// The task to be killed when the next key is `y`.
    private(set) var pendingKill: (node: String, id: String)?
    var note = ""
    private var lastTotals: (at: Double, totals: [String: Int64])?
    private var lastStarts: (at: Double, starts: [String: [String: Int64]])?

    var rows: [Row] {
        queues.map { .queue($0.name) }
            + fleet.nodes.flatMap { node in node.running.map { .task(node: node.name, id: $0.id) } }
    }

    /// - Parameter now: Unix time.
    mutating func update(_ fleet: FleetStatus, at now: Double) {
        let selected = rows.indices.contains(selection) ? rows[selection] : nil
        self.fleet = fleet
        updateRate(at: now)
        updateQueues()
        updateRates(at: now)
        if let selected, let index = rows.firstIndex(of: selected) { selection = index }
        selection = max(0, min(selection, rows.count - 1))
    }

    mutating func update(depths: [String: Int]) {
        for index in queues.indices { queues[index].depth = depths[queues[index].name] }
    }

    mutating func press(_ key: Key) -> Reaction {
        if let pendingKill {
            self.pendingKill = nil
            guard case .letter("y") = key else {
                note = "left as it is"
                return .nothing
            }
            return end(pendingKill.id, on: pendingKill.node, signal: "KILL")
        }
        note = ""
        switch key {
        case .up: selection = max(0, selection - 1)
        case .down: selection = max(0, min(selection + 1, rows.count - 1))
        case .letter("q"): return .quit
        case .letter("p"): return pauseOrResume()
        case .letter("k"):
            guard let task = selectedTask else { break }
            pendingKill = task
            note = "kill \(task.id)? [y/N]"
        case .letter("s"):
            guard let task = selectedTask else { break }
            return end(task.id, on: task.node, signal: "TERM")
        case .letter: break
        }
        return .nothing
    }

    private var selectedTask: (node: String, id: String)? {
        guard rows.indices.contains(selection), case .task(let node, let id) = rows[selection] else { return nil }
        return (node, id)
    }

    private mutating func end(_ id: String, on node: String, signal: String) -> Reaction {
        note = "SIG\(signal) to \(id)"
        let arguments = [
            JSONMember(key: "task_id", value: [.string(id)]), JSONMember(key: "terminate", value: true),
            JSONMember(key: "signal", value: .string(signal)),
        ]
        // Only the worker that runs it: the others need not remember it.
        return .tell([ControlQuestion("revoke", arguments, destination: [node])])
    }

    private mutating func pauseOrResume() -> Reaction {
        guard rows.indices.contains(selection), case .queue(let name) = rows[selection],
            let queue = queues.first(where: { $0.name == name })
        else { return .nothing }
        note = queue.isPaused ? "resuming \(name)" : "pausing \(name)"
        // Celery's workers know no pause: they leave the queue.
        let words = queue.isPaused ? ("resume_queue", "add_consumer") : ("pause_queue", "cancel_consumer")
        let able = fleet.nodes.filter { queue.isPaused ? $0.paused.contains(name) : $0.started != nil }.map(\.name)
        let groups = [
            (words.0, queue.nodes.filter(able.contains)), (words.1, queue.nodes.filter { !able.contains($0) }),
        ]
        return .tell(
            groups.filter { !$0.1.isEmpty }.map { method, nodes in
                ControlQuestion(method, [JSONMember(key: "queue", value: .string(name))], destination: nodes)
            })
    }

    /// Workers that have left a queue stay with it, as paused: they may be ordered to come back.
    private mutating func updateQueues() {
        var consumers: [String: [String]] = [:]
        var paused: [String: Set<String>] = [:]
        for node in fleet.nodes {
            for queue in node.queues { consumers[queue, default: []].append(node.name) }
            for queue in node.paused { paused[queue, default: []].insert(node.name) }
        }
        let present = Set(fleet.nodes.map(\.name))
        for index in queues.indices {
            let name = queues[index].name
            let now = consumers.removeValue(forKey: name) ?? []
            let left = queues[index].nodes.filter { present.contains($0) && !now.contains($0) }
            // None of them is there: it is shown until one is again.
            if !(now + left).isEmpty { queues[index].nodes = (now + left).sorted() }
            queues[index].pausedAt = (paused[name] ?? []).union(queues[index].nodes.filter { !now.contains($0) })
        }
        queues += consumers.map { Queue(name: $0.key, nodes: $0.value, pausedAt: paused[$0.key] ?? []) }
        queues.sort { $0.name < $1.name }
        let reported = fleet.nodes.compactMap(\.laterByQueue)
        for index in queues.indices {
            let counts = reported.compactMap { $0[queues[index].name] }
            queues[index].later = counts.isEmpty ? nil : counts.reduce(0, +)
        }
    }

    private mutating func updateRates(at now: Double) {
        let starts = Dictionary(fleet.nodes.compactMap { node in node.started.map { (node.name, $0) } }) { $1 }
        if let last = lastStarts, now > last.at {
            for index in queues.indices {
                let name = queues[index].name
                let more = starts.map { node in
                    let present = node.value[name] ?? 0
                    return max(0, present.subtractingSaturated(last.starts[node.key]?[name] ?? present))
                }.saturatedSum
                queues[index].rate = starts.isEmpty ? nil : Double(more) / (now - last.at)
            }
        }
        lastStarts = (now, starts)
    }

    private mutating func updateRate(at now: Double) {
        let totals = Dictionary(fleet.nodes.map { ($0.name, $0.total) }) { $1 }
        if let last = lastTotals, now > last.at {
            // A worker that was not there a moment ago brings no tasks of this moment, one that restarted none less.
            let more = totals.map { name, total in
                max(0, total.subtractingSaturated(last.totals[name] ?? total))
            }.saturatedSum
            rate = Double(more) / (now - last.at)
        }
        lastTotals = (now, totals)
    }
}
