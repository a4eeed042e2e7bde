// `taskhost run`: tasks of one bundle without a broker, in the children and with the limits that a worker gives them.
import Glibc
import Linux
import Loop
package import Output
package import Ports
package import Runner
import Settings
package import TaskModel
package import TaskhostJSON

package final class BundleRun: RunnerEvents {
    package struct Order: Sendable {
        package var file: String
        /// The file, as it was typed.
        package var shown: String
        package var task: String
        package var arguments: [JSON]
        package var keywords: [JSONMember]
        /// Seconds; nil: as bundle and settings say. 0: none.
        package var softLimit: Double?
        package var hardLimit: Double?
        package var times = 1
        package var debugs = false

        package init(file: String, task: String, arguments: [JSON], keywords: [JSONMember]) {
            (self.file, shown, self.task, self.arguments, self.keywords) = (file, file, task, arguments, keywords)
        }
    }

    private let order: Order
    /// What the operator says of the task, and of all tasks.
    private let asked: [TaskOptions]
    private let loop: EpollLoop
    private let pool: RunnerPool
    private var task: TaskManifest?
    private var timers: [any LoopTimer] = []
    private var reports: [RunReport] = []
    private var failure: CommandFailure?
    private var debugger: Debugger?

    /// - Parameters:
    ///   - options: of the worker that would run it, without folders.
    ///   - asked: options that the task has in the settings, the stronger first.
    package init(_ order: Order, options: RunnerOptions, asked: [TaskOptions]) throws(CommandFailure) {
        self.order = order
        self.asked = asked
        var options = options
        options.pluginFolders = []
        options.bundles = [
            NamedBundle(
                path: order.file, environment: options.environment, loadTimeoutSeconds: options.loadTimeoutSeconds)
        ]
        options.slots = 1
        options.ownsAllChildren = false
        if order.debugs {
            options.spares = 0
            options.confinement.isDebuggable = true
        }
        do {
            loop = try EpollLoop()
            pool = try RunnerPool(loop: loop, options: options) { level, line in
                if level >= .warning { Console.note("taskhost: \(line)") }
            }
        } catch {
            throw CommandFailure(.configuration, "\(error)")
        }
    }

    /// One report for each time.
    package func run() throws(CommandFailure) -> [RunReport] {
        pool.connect(events: self)
        loop.run()
        if let failure { throw failure }
        return reports
    }

    // ---- RunnerEvents ----

    package func catalogChanged(_ report: BundleReport) {
        switch report.status {
        case .refused(let sentence): end(CommandFailure(.noBundle, sentence))
        case .active where task == nil:
            guard let found = pool.task(named: order.task) else { return end(unknown(report.manifest?.tasks ?? [])) }
            task = found
            guard order.debugs, let zygote = report.zygotePID else { return start() }
            attach(to: zygote)
        default: break
        }
    }

    package func began(_ run: RunID, pid: Int32) {
        if let soft = limit(order.softLimit, \.softLimit) {
            timers.append(loop.schedule(afterSeconds: soft) { [unowned self] in pool.softStop(run) })
        }
        if let hard = limit(order.hardLimit, \.hardLimit) {
            timers.append(
                loop.schedule(afterSeconds: hard) { [unowned self] in
                    pool.kill(run, because: .hardLimit(seconds: hard))
                })
        }
    }

    package func stateChanged(_ run: RunID, state: String, meta: [UInt8]) {
        if order.times == 1 { Console.note("\(state) \(String(decoding: meta, as: UTF8.self))") }
    }

    package func said(_ run: RunID, level: LogLevel?, line: String) {
        guard order.times == 1 else { return }
        Console.note(level.map { "\("\($0)".uppercased()) \(line)" } ?? line)
    }

    package func sent(_ run: RunID, _ submission: Submission) {
        guard order.times == 1, submission.kind != .children else { return }
        Console.note("not sent, as there is no broker: \(String(decoding: submission.content, as: UTF8.self))")
    }

    package func finished(_ run: RunID, _ report: RunReport) {
        for timer in timers { timer.cancel() }
        timers = []
        reports.append(report)
        if reports.count < order.times { start() } else { end(nil) }
    }

    /// Only engines take runs back.
    package func returned(_ run: RunID) {}

    // ---- steps ----

    private func start() {
        let number = reports.count + 1
        let id = UUIDText.random()
        let headers: JSON = .object([
            JSONMember(key: "lang", value: .string("py")), JSONMember(key: "task", value: .string(order.task)),
            JSONMember(key: "id", value: .string(id)), JSONMember(key: "root_id", value: .string(id)),
            JSONMember(key: "origin", value: .string("taskhost run")),
        ])
        let embed = ["callbacks", "errbacks", "chain", "chord"].map { JSONMember(key: $0, value: .null) }
        pool.start(
            StartRequest(
                run: RunID(UInt64(number)), taskName: order.task, id: id, rootID: id, parentID: nil, groupID: nil,
                queue: "celery", retries: 0, starts: 1, maxRetries: bound,
                softLimit: limit(order.softLimit, \.softLimit), hardLimit: limit(order.hardLimit, \.hardLimit),
                eta: nil,
                redelivered: false, headersJSON: headers.bytes,
                body: JSON.array([.array(order.arguments), .object(order.keywords), .object(embed)]).bytes,
                keep: order.times > 1 ? option(\.keep) ?? 0 : 0, memoryLimit: option(\.memoryLimit)))
    }

    private var bound: RetryBound { option(\.maxRetries) ?? .atMost(3) }

    private func option<Value>(_ path: KeyPath<TaskOptions, Value?>) -> Value? {
        asked.first?[keyPath: path] ?? task?.options[keyPath: path] ?? asked.last?[keyPath: path]
    }

    /// Nobody's time is limited while it is looked at.
    private func limit(_ given: Double?, _ path: KeyPath<TaskOptions, Double?>) -> Double? {
        guard !order.debugs, let seconds = given ?? option(path), seconds > 0 else { return nil }
        return seconds
    }

    private func attach(to zygote: Int32) {
        do throws(CommandFailure) {
            debugger = try Debugger(zygote: zygote, bundle: order.file, task: order.task, loop: loop) {
                [unowned self] in
                start()
            } ended: { [unowned self] in
                if reports.isEmpty { end(CommandFailure(.failure, "gdb ended before the task did")) }
            }
        } catch {
            end(error)
        }
    }

    private func unknown(_ tasks: [TaskManifest]) -> CommandFailure {
        let names = tasks.map(\.name)
        let nearest = NearestName.ofTask(order.task, among: names)
        let all = names.isEmpty ? "it has no tasks" : "it has \(names.sorted().joined(separator: ", "))"
        return CommandFailure(
            .usage, "\(order.shown) has no task \(order.task)",
            fix: nearest.map { "taskhost run \(order.shown) \($0)" } ?? all)
    }

    private func end(_ failure: CommandFailure?) {
        if self.failure == nil { self.failure = failure }
        if let debugger { debugger.awaitEnd() }
        pool.close { [unowned self] in loop.stop() }
    }
}
