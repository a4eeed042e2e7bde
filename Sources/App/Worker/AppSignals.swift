// What a Celery app is told of the host: to a process of the app's that has nothing else to do, one line of JSON for each
// signal (Python/taskhost_celery/listener.py). What nobody there waits for is not told.
import CLinux
import CeleryWire
import Control
import Engine
import Glibc
import LocalSocket
import Ports
import Runner
import TaskModel
import TaskhostJSON

/// On the loop.
final class AppSignals: EngineObserver {
    private let loop: any EventLoop
    private let engine: Engine
    private let heartbeatSeconds: Double?
    private let log: (LogLevel, String) -> Void
    private let line: LineConnection
    /// What it has said that it waits for; nil: it has said nothing yet.
    private var wanted: Set<String>?
    /// The worker's own signals until then.
    private var early: [(name: String, members: [JSONMember])] = []
    private var pid: Int32 = 0
    private var isOpen = true
    /// The process has ended and is reaped, or it has closed its socket and never said who it is.
    private var isOver = false
    private var pidfd: Int32 = -1
    private var death: (any LoopWatch)?
    private var isFull = false
    private var beating: (any LoopTimer)?
    private var whenOver: () -> Void = {}

    private static let last = "worker_shutdown"
    private static let ofTasks: Set<String> = ["task_revoked", "task_rejected", "task_unknown", "task_failure"]
    /// Bytes that may wait for receivers that are slow.
    private static let maxBacklog = 16 << 20
    private static let longestLine = 1 << 20

    /// - Parameter socket: ours.
    init(
        _ socket: Int32, loop: any EventLoop, engine: Engine, heartbeatSeconds: Double?,
        log: @escaping (LogLevel, String) -> Void
    ) {
        self.loop = loop
        self.engine = engine
        self.heartbeatSeconds = heartbeatSeconds
        self.log = log
        line = LineConnection(socket, longestLine: Self.longestLine)
        line.start(on: loop) { [unowned self] in
            heard($0)
        } ended: { [unowned self] in
            lost()
        }
    }

    // ---- the worker ----

    func ready() {
        send("worker_ready", [])
        beat()
    }

    /// - Parameter cause: the signal that we were sent, or other words.
    func stopping(_ kind: StopKind, cause: String, status: Int32) {
        beating?.cancel()
        let how =
            switch kind {
            case .warm: "Warm"
            case .soft: "Soft"
            case .cold: "Cold"
            }
        send(
            "worker_shutting_down",
            [
                JSONMember(key: "sig", value: .string(cause)), JSONMember(key: "how", value: .string(how)),
                JSONMember(key: "exitcode", value: .int(Int64(status))),
            ])
    }

    /// Sends the last signal and waits until its receivers' process has ended, for at most so long.
    func close(withinSeconds seconds: Double, done: @escaping () -> Void) {
        guard !isOver else { return done() }
        let limit = loop.schedule(afterSeconds: seconds) { [self] in
            log(.warning, "receivers of worker_shutdown are not over after \(seconds) s: their process is killed")
            if pid > 0 { kill(pid, SIGKILL) } else { over() }
        }
        whenOver = {
            limit.cancel()
            done()
        }
        // Sent to any, as the word to end.
        if wanted == nil { early.append((Self.last, [])) } else { write(Self.last, []) }
    }

    private func beat() {
        guard let seconds = heartbeatSeconds, wanted?.contains("heartbeat_sent") != false, isOpen else { return }
        send("heartbeat_sent", [])
        beating = loop.schedule(afterSeconds: seconds) { [weak self] in self?.beat() }
    }

    // ---- tasks ----

    func observed(_ event: TaskEvent, of task: ObservedTask) {
        switch event {
        case .revoked(let signal, let hasExpired):
            send(
                "task_revoked", of: task,
                [
                    JSONMember(key: "terminated", value: .bool(signal != nil)),
                    JSONMember(key: "signum", value: signal.map { .int(Int64($0)) } ?? .null),
                    JSONMember(key: "expired", value: .bool(hasExpired)),
                ])
        case .rejected where task.beganAt == nil: send("task_rejected", of: task, [])
        case .failed(let failure): failed(failure, task)
        default: break
        }
    }

    /// Of the failures only those that no child has told of.
    private func failed(_ failure: TaskFailure, _ task: ObservedTask) {
        switch failure.type {
        case "NotRegistered" where task.beganAt == nil: send("task_unknown", of: task, [])
        case "InvalidTaskError" where task.beganAt == nil:
            send("task_rejected", of: task, [JSONMember(key: "reason", value: .string(failure.message))])
        case "TimeLimitExceeded", "WorkerLostError", "Reject":
            let exception: JSON = [
                "type": .string(failure.type), "module": .string(failure.module),
                "arguments": .string(String(decoding: failure.arguments, as: UTF8.self)),
                "traceback": failure.traceback.map(JSON.string) ?? .null,
            ]
            send("task_failure", of: task, [JSONMember(key: "exception", value: exception)])
        default: break
        }
    }

    private func send(_ name: String, of task: ObservedTask, _ members: [JSONMember]) {
        guard isOpen, wanted?.contains(name) == true else { return }
        let headers = Self.json(HeadersJSON.bytes(task.headers))
        let told: JSON = [
            "id": .string(task.id), "name": .string(task.name), "args": .string(task.argsRepr),
            "kwargs": .string(task.kwargsRepr), "retries": .int(Int64(task.retries)), "queue": .string(task.queue),
            "routing_key": .string(task.routingKey), "headers": headers ?? .object([]),
        ]
        write(name, [JSONMember(key: "task", value: told)] + members)
    }

    // ---- the process ----

    private func send(_ name: String, _ members: [JSONMember]) {
        guard let wanted else { return early.append((name, members)) }
        if wanted.contains(name) { write(name, members) }
    }

    private func write(_ name: String, _ members: [JSONMember]) {
        guard isOpen else { return }
        guard line.backlog < Self.maxBacklog else {
            if !isFull { log(.warning, "receivers of the app's signals are too slow: some signals are dropped") }
            isFull = true
            return
        }
        isFull = false
        var bytes: [UInt8] = []
        JSON.object([JSONMember(key: "signal", value: .string(name))] + members).write(into: &bytes)
        line.send(bytes)
    }

    /// The one line that it says.
    private func heard(_ bytes: [UInt8]) {
        guard wanted == nil, let said = Self.json(bytes) else { return }
        let names = Set((said["signals"]?.elements ?? []).compactMap(\.text))
        wanted = names
        pid = Int32(clamping: said["pid"]?.integer ?? 0)
        _ = OwnChildren.starting { pid }
        reap(Int32(clamping: said["helper"]?.integer ?? 0))
        awaitEnd()
        if !names.isDisjoint(with: Self.ofTasks) { engine.add(observer: self) }
        log(.debug, "process \(pid) sends to the app: \(names.sorted().joined(separator: ", "))")
        for (name, members) in early where names.contains(name) || name == Self.last { write(name, members) }
        early = []
    }

    /// nil: it is none, and there is nothing to be told.
    private static func json(_ bytes: [UInt8]) -> JSON? {
        do { return try JSON(parsing: bytes, limits: .trusted) } catch { return nil }
    }

    private func lost() {
        isOpen = false
        beating?.cancel()
        engine.remove(observer: self)
        if let wanted, !wanted.isEmpty, engine.stopping == nil {
            let names = wanted.sorted().joined(separator: ", ")
            log(.warning, "the process of the app's signals has ended: until a restart these are not sent: \(names)")
        }
        // It closes its socket before it has ended.
        if death == nil { over() }
    }

    private func awaitEnd() {
        pidfd = clinux_pidfd_open(pid)
        guard pidfd >= 0 else { return }
        death = loop.watch(pidfd, for: .read) { [weak self] _ in self?.over() }
    }

    private func over() {
        guard !isOver else { return }
        isOver = true
        death?.cancel()
        if pidfd >= 0 { _ = clinux_close(pidfd) }
        reap(pid)
        OwnChildren.remove(pid)
        whenOver()
    }

    private func reap(_ pid: Int32) {
        var status: Int32 = 0
        if pid > 0 { _ = clinux_reap(pid, &status) }
    }
}
