// Events for monitors: what happens to tasks, and that this worker is alive (celery-protocol.md §6).
import Glibc
public import Ports
import TaskModel
import TaskhostJSON

public struct EventOptions: Sendable {
    /// Told of ourselves, e.g. "1.0.0".
    public var version: String
    /// Whether events of tasks are sent from the beginning; `enable_events` turns them on later.
    public var sendsTaskEvents: Bool
    /// Between two heartbeats; nil: neither heartbeats, nor when the worker comes and goes.
    public var heartbeatSeconds: Double?

    public init(version: String, sendsTaskEvents: Bool = false, heartbeatSeconds: Double?) {
        self.version = version
        self.sendsTaskEvents = sendsTaskEvents
        self.heartbeatSeconds = heartbeatSeconds
    }
}

/// On the loop. Costs nothing per task while events of tasks are off: the engine is not watched then.
public final class EventService {
    private let channels: [any EventChannel]
    private let engine: any EngineControl
    private let loop: any EventLoop
    private let options: EventOptions
    /// Counts every event sent and every command answered.
    let clock = LamportClock()
    private(set) var sendsTaskEvents = false
    private let headers: FieldTable
    private let common: [JSONMember]
    private var gathered: [JSON] = []
    private var flushing: (any LoopTimer)?
    private var beating: (any LoopTimer)?

    /// Events of tasks travel together: so many at most, and none waits longer than this.
    private static let maxTogether = 250
    private static let longestWait = 0.05

    public init(
        channels: [any EventChannel], engine: any EngineControl, loop: any EventLoop, options: EventOptions
    ) {
        self.channels = channels
        self.engine = engine
        self.loop = loop
        self.options = options
        let node = engine.nodeName
        headers = ["hostname": .string(node)]
        common = [
            JSONMember(key: "hostname", value: .string(node)),
            JSONMember(key: "utcoffset", value: .double(Self.hoursWest())),
            JSONMember(key: "pid", value: .int(Int64(getpid()))),
        ]
        if options.sendsTaskEvents { enableTaskEvents() }
    }

    // ---- the worker ----

    /// The broker is there, for the first time or again.
    public func linkUp() {
        guard let seconds = options.heartbeatSeconds else { return }
        sendWorker("worker-online")
        if beating == nil { beat(every: seconds) }
    }

    /// Nothing follows. To be called while the broker can still be spoken to.
    public func close() {
        beating?.cancel()
        if options.heartbeatSeconds != nil { sendWorker("worker-offline") }
        disableTaskEvents()
    }

    /// A version of a bundle is on trial, serves, or was taken back. Others of the kind are of no interest.
    public func bundleChanged(_ report: BundleReport) {
        var fields = [
            JSONMember(key: "bundle", value: .string(report.manifest?.name ?? report.path)),
            JSONMember(key: "version", value: .string(report.manifest?.version ?? "")),
            JSONMember(key: "path", value: .string(report.path)),
        ]
        switch report.status {
        case .active: send("bundle-serving", fields)
        case .trial(let share): send("bundle-trial", fields + [JSONMember(key: "share", value: .double(share))])
        case .rolledBack(let reason):
            fields.append(JSONMember(key: "reason", value: .string(reason)))
            send("bundle-rollback", fields)
        case .loading, .draining, .refused, .gone: break
        }
    }

    private func beat(every seconds: Double) {
        beating = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.sendWorker("worker-heartbeat")
            self?.beat(every: seconds)
        }
    }

    /// As the command of the same name has it: at once, whatever else was said about heartbeats.
    func heartbeat() { send("worker-heartbeat", [JSONMember(key: "freq", value: 5)] + software) }

    private var software: [JSONMember] {
        [
            JSONMember(key: "sw_ident", value: "taskhost"),
            JSONMember(key: "sw_ver", value: .string(options.version)), JSONMember(key: "sw_sys", value: "Linux"),
        ]
    }

    private func sendWorker(_ type: String) {
        let active = engine.inFlightTasks.filter { if case .active = $0.phase { true } else { false } }
        let processed = engine.figures.received.values.reduce(0, +)
        let state = [
            JSONMember(key: "freq", value: .double(options.heartbeatSeconds ?? 2)),
            JSONMember(key: "active", value: .int(Int64(active.count))),
            JSONMember(key: "processed", value: .int(Int64(processed))),
            JSONMember(key: "loadavg", value: Self.load()),
        ]
        send(type, state + software)
    }

    /// Events of the embedded broker's workers often have no subscriber.
    private var isHeard: Bool { channels.contains(where: \.isHeard) }

    private func send(_ type: String, _ fields: [JSONMember]) {
        guard isHeard else { return }
        // Before it go those with lower clocks.
        flush()
        let key = type.split(separator: "-").joined(separator: ".")
        publish(event(type, fields), routingKey: key)
    }

    // ---- tasks ----

    /// - Returns: false: they were on already.
    @discardableResult
    func enableTaskEvents() -> Bool {
        guard !sendsTaskEvents else { return false }
        sendsTaskEvents = true
        engine.add(observer: self)
        return true
    }

    @discardableResult
    func disableTaskEvents() -> Bool {
        guard sendsTaskEvents else { return false }
        sendsTaskEvents = false
        engine.remove(observer: self)
        flush()
        return true
    }

    private func gather(_ event: JSON) {
        gathered.append(event)
        if gathered.count >= Self.maxTogether {
            flush()
        } else if flushing == nil {
            flushing = loop.schedule(afterSeconds: Self.longestWait) { [weak self] in self?.flush() }
        }
    }

    private func flush() {
        flushing?.cancel()
        flushing = nil
        guard !gathered.isEmpty else { return }
        publish(.array(gathered), routingKey: "task.multi")
        gathered.removeAll(keepingCapacity: true)
    }

    // ---- any ----

    private func event(_ type: String, _ fields: [JSONMember]) -> JSON {
        var members = common
        members.reserveCapacity(common.count + fields.count + 3)
        members.append(JSONMember(key: "clock", value: .int(Int64(clamping: clock.forward()))))
        members += fields
        members.append(JSONMember(key: "timestamp", value: .double(loop.clocks.wall.secondsSince1970)))
        members.append(JSONMember(key: "type", value: .string(type)))
        return .object(members)
    }

    private func publish(_ body: JSON, routingKey: String) {
        let message = ControlBody.message(body, headers: headers, deliveryMode: 1)
        for channel in channels where channel.isHeard { channel.publish(message, routingKey: routingKey) }
    }

    /// The sign is Celery's: an hour east of Greenwich is -1.
    private static func hoursWest() -> Double {
        var now = time(nil)
        var local = tm()
        localtime_r(&now, &local)
        return local.tm_gmtoff == 0 ? 0 : -Double(local.tm_gmtoff) / 3600
    }

    private static func load() -> JSON {
        var averages = [0.0, 0.0, 0.0]
        getloadavg(&averages, 3)
        return .array(averages.map { .double(($0 * 100).rounded(.up) / 100) })
    }
}

extension EventService: EngineObserver {
    public func observed(_ event: TaskEvent, of task: ObservedTask) {
        guard isHeard, !task.id.isEmpty, let made = CeleryEvent(event, of: task, now: loop.clocks.wall) else {
            return
        }
        gather(self.event(made.type, [JSONMember(key: "uuid", value: .string(task.id))] + made.fields))
    }
}
