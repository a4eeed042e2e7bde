import ArgumentParser
import Canvas
import CeleryWire
import Client
import Configuration
import Fleet
import Glibc
import Linux
import Loop
import Output
import Settings
import Synchronization
import TaskModel
import TaskhostJSON
import TaskhostSignature

struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Send a task, and wait for its result if asked to.",
        discussion: """
            Arguments are JSON or plain words: 4 is a number, hello a string, '"4"' a string, '[1, 2]' a list.
            Without --wait the task's id is printed as soon as the broker has confirmed the message. In a folder where \
            `taskhost dev` runs, a task that is not for later is waited for.

            Examples:
              taskhost call tasks.add 4 6 --queue urgent --wait
              taskhost call images.process photo.jpg --kw width=200 --wait=30
              taskhost call report --kwargs '{"month": "2027-01"}' --countdown 60
              taskhost call tasks.add 4 6 --chain 'tasks.multiply 2' --wait
            """)

    @Argument(help: ArgumentHelp("Task to call, as `taskhost bundles` lists it.", valueName: "task"))
    var task: String

    @Argument(parsing: .remaining, help: ArgumentHelp("Its arguments, in order.", valueName: "argument"))
    var arguments: [String] = []

    @Option(
        name: [.customShort("a"), .customLong("args")],
        help: ArgumentHelp("Arguments as one JSON list; those above come after them.", valueName: "json"))
    var list: String?

    @Option(
        name: [.short, .long], help: ArgumentHelp("Keyword arguments as one JSON object.", valueName: "json"))
    var kwargs: String?

    @Option(name: .customLong("kw"), help: ArgumentHelp("One keyword argument; repeatable.", valueName: "name=value"))
    var keywords: [String] = []

    @Option(
        name: [.customShort("Q"), .long],
        help: ArgumentHelp("Queue to send it to. Default: by the routes, else celery.", valueName: "name"))
    var queue: String?

    @Option(help: ArgumentHelp("0…255; a higher one is run first (on Redis a lower one).", valueName: "number"))
    var priority: UInt8?

    @Option(help: ArgumentHelp("Run it this many seconds from now at the earliest.", valueName: "seconds"))
    var countdown: Double?

    @Option(help: ArgumentHelp("Run it at this time at the earliest (ISO 8601).", valueName: "time"))
    var eta: PointInTime?

    @Option(help: ArgumentHelp("Not to be run later than this (seconds from now, or ISO 8601).", valueName: "when"))
    var expires: Expiry?

    @Option(help: ArgumentHelp("Seconds until it is asked to stop.", valueName: "seconds"))
    var softTimeLimit: Double?

    @Option(help: ArgumentHelp("Seconds until it is killed.", valueName: "seconds"))
    var timeLimit: Double?

    @Option(help: ArgumentHelp("Task id; default: a new one.", valueName: "id"))
    var id: String?

    @Option(
        help: ArgumentHelp(
            "What runs next, with the result before its own arguments; repeatable. --wait waits for the last one.",
            valueName: "task arguments"))
    var chain: [String] = []

    @Option(
        help: ArgumentHelp(
            "What is sent when all has succeeded, with the result before its arguments; repeatable.",
            valueName: "task arguments"))
    var link: [String] = []

    @Option(
        help: ArgumentHelp(
            "What is sent when a step has failed, with the failed id before its arguments; repeatable.",
            valueName: "task arguments"))
    var linkError: [String] = []

    @Flag(help: "Ask for no result to be stored.")
    var ignoreResult = false

    @Option(help: ArgumentHelp("Wait for the result; --wait=SECONDS waits no longer.", valueName: "seconds"))
    var wait: WaitTime?

    @Flag(
        inversion: .prefixedNo,
        help: "Say when no worker consumes the queue or knows the task. Default: with --wait, and on a terminal.")
    var check: Bool?

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        if countdown != nil, eta != nil { throw ValidationError("--countdown and --eta exclude each other") }
        if let countdown, !(countdown >= 0 && countdown.isFinite) {
            throw ValidationError("--countdown must be a number of seconds, at least 0")
        }
        if id == "" { throw ValidationError("--id must not be empty: a task without an id is refused") }
        if wait != nil, ignoreResult { throw ValidationError("--wait waits for what --ignore-result forgoes") }
    }

    func run() throws {
        let configuration = try connection.configuration()
        let wait = awaited
        let session = try ClientSession(configuration, needsBroker: true, needsStore: wait != nil)
        if wait != nil, !session.hasStore {
            throw CommandFailure.configuration(
                "--wait needs results, and the result backend is none", fix: "name one with --result-backend")
        }
        let routes = Routes(configuration.routes, defaultQueue: "celery")
        let plan = try plan(replyTo: session.replyTo, origin: session.client.origin, routes)
        guard let taskID = plan.taskID else { throw CommandFailure(.failure, "there is nothing to send") }
        let waiting = wait.map { _ in ResultWait(session: session, taskID: taskID, asJSON: json, isSent: false) }
        let checks = check ?? (wait != nil || isatty(STDERR_FILENO) == 1)
        let progress = CallProgress()
        do throws(CommandFailure) {
            try send(plan, by: session, configuration, waiting, wait, checks, progress)
        } catch {
            progress.isOver = true
            // A short wait ends before the workers were asked: that no worker takes the task is why there is no result.
            if error.status == .timedOut, progress.isSent, checks, !progress.isChecked { reportTakers(configuration) }
            throw error
        }
        progress.isOver = true
        if let waiting {
            let status = waiting.report()
            if let meta = waiting.final { explain(meta, configuration, isChecked: !checks || progress.isChecked) }
            if status != .success { throw ExitCode(status.rawValue) }
        } else if json {
            Console.out(.object([JSONMember(key: "id", value: .string(taskID))]))
        } else {
            Console.out(taskID)
        }
        if waiting == nil, checks { reportTakers(configuration) }
    }

    /// As it was asked for, or because a dev in this folder is there to be tried.
    private var awaited: WaitTime? {
        guard wait == nil, connection.broker == nil, connection.config == nil, Files.isFolder(DevSettings.folder) else {
            return wait
        }
        guard DevSettings.isLive else {
            Console.note("taskhost: no `taskhost dev` runs in this folder, so this goes elsewhere")
            return nil
        }
        return ignoreResult || countdown != nil || eta != nil ? nil : WaitTime(argument: WaitTime.forever)
    }

    /// What the failure alone does not tell: the name that was meant, the argument that was meant by name.
    private func explain(_ meta: ReceivedMeta, _ configuration: Configuration, isChecked: Bool) {
        guard meta.state == .failure else { return }
        switch meta.failureType {
        case "NotRegistered" where !isChecked && meta.failureMessage.contains(task): reportTakers(configuration)
        case "TypeError":
            guard let word = arguments.first(where: { $0.prefixMatch(of: /[A-Za-z_][A-Za-z0-9_]*=/) != nil }) else {
                return
            }
            Console.note("  fix: '\(word)' is a text here; an argument by its name is --kw '\(word)'")
        default: return
        }
    }

    /// Asks the workers whether anybody takes the task.
    private func reportTakers(_ configuration: Configuration) {
        let queue = firstQueue(configuration)
        for note in CallCheck.notes(configuration, task: task, queue: queue) { Console.note(note) }
    }

    private func send(
        _ plan: SendingPlan, by session: ClientSession, _ configuration: Configuration, _ waiting: ResultWait?,
        _ wait: WaitTime?, _ checks: Bool, _ progress: CallProgress
    ) throws(CommandFailure) {
        let queue = firstQueue(configuration)
        try session.run {
            if let wait { waiting?.follow(limit: wait) }
            if wait?.seconds.map({ $0 > Self.confirmSeconds }) ?? true {
                // A missing confirmation is reported, however long the result is waited for.
                _ = session.loop.schedule(afterSeconds: Self.confirmSeconds) {
                    if !progress.isSent { session.finish(session.unconfirmed(after: Self.confirmSeconds)) }
                }
            }
            session.client.send(plan) {
                configuration.declaration(of: $0 ?? queue)
            } done: { failure in
                progress.isSent = failure == nil
                waiting?.isSent = failure == nil
                if let failure {
                    session.finish(.unsent(failure))
                } else if waiting == nil {
                    session.finish()
                } else if checks {
                    CallCheck.watch(configuration, task: task, queue: queue) {
                        progress.isOver
                    } checked: {
                        progress.isChecked = true
                    }
                }
            }
        }
    }

    /// Seconds until a missing confirmation is reported: a healthy one takes milliseconds.
    private static let confirmSeconds = 20.0

    /// Where the first step goes.
    private func firstQueue(_ configuration: Configuration) -> String {
        let routes = Routes(configuration.routes, defaultQueue: "celery")
        guard queue == nil, case .queue(let found) = routes.target(ofTask: task) else { return queue ?? "celery" }
        return found
    }

    private func plan(replyTo: String?, origin: String, _ routes: Routes) throws(CommandFailure) -> SendingPlan {
        let context = CanvasContext(
            replyTo: replyTo, origin: origin, now: LogTime.now(), makeID: TaskCall.newID)
        do {
            return try SendingPlan(try signature(now: context.now, routes).json, context)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.usage, "\(error)")
        }
    }

    func signature(now: WallTime, _ routes: Routes = Routes(defaultQueue: "celery")) throws(CommandFailure) -> Signature
    {
        func step(_ text: String, _ option: String) throws(CommandFailure) -> Signature {
            let step = try CallStep(text, option: option)
            return step.signature(everyStep(step.task, routes))
        }
        let given = try list.map { text throws(CommandFailure) in try PlainValue.list(text) } ?? []
        let first = Signature(
            task, arguments: given + arguments.map(PlainValue.read),
            keywords: try PlainValue.keywords(kwargs, keywords))
        var steps = [first.with(options(now: now, routes))]
        for text in chain { steps.append(try step(text, "--chain")) }
        var whole = steps.count == 1 ? steps[0] : .chain(steps)
        if let id { whole = whole.option("task_id", .string(id)) }
        for text in link { whole = whole.linked(to: try step(text, "--link")) }
        for text in linkError { whole = whole.linkedError(to: try step(text, "--link-error")) }
        return whole
    }

    /// The queue is said for every step: a worker would route those that say nothing by its own settings.
    private func everyStep(_ task: String, _ routes: Routes) -> [JSONMember] {
        var members: [JSONMember] = []
        func add(_ key: String, _ value: JSON) { members.append(JSONMember(key: key, value: value)) }
        switch queue.map({ .queue($0) }) ?? routes.target(ofTask: task) {
        case .queue(let queue): add("queue", .string(queue))
        case .exchange(let exchange, let key):
            add("exchange", .string(exchange))
            add("routing_key", .string(key))
        case .routed: break
        }
        if ignoreResult { add("ignore_result", .bool(true)) }
        return members
    }

    /// Of the first step: time and limits are about it alone.
    private func options(now: WallTime, _ routes: Routes) -> [JSONMember] {
        var members = everyStep(task, routes)
        func add(_ key: String, _ value: JSON?) {
            if let value { members.append(JSONMember(key: key, value: value)) }
        }
        add("priority", priority.map { .int(Int64($0)) })
        let due = eta?.time ?? countdown.map { now.advanced(bySeconds: $0) }
        add("eta", due.map { .string(ISO8601.format($0)) })
        add("expires", (expires?.time(now: now)).map { .string(ISO8601.format($0)) })
        add("soft_time_limit", softTimeLimit.map(JSON.double))
        add("time_limit", timeLimit.map(JSON.double))
        return members
    }
}

/// How far a call has come; read by the check, which has a thread of its own.
private final class CallProgress: Sendable {
    private let state = Mutex((isSent: false, isOver: false, isChecked: false))

    var isSent: Bool {
        get { state.withLock { $0.isSent } }
        set { state.withLock { $0.isSent = newValue } }
    }

    var isOver: Bool {
        get { state.withLock { $0.isOver } }
        set { state.withLock { $0.isOver = newValue } }
    }

    /// The workers have been asked, and their replies are shown.
    var isChecked: Bool {
        get { state.withLock { $0.isChecked } }
        set { state.withLock { $0.isChecked = newValue } }
    }
}
