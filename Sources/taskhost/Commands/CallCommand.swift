import ArgumentParser
import Canvas
import CeleryWire
import Client
import TaskModel
import TaskhostJSON

struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Send a task, and wait for its result if asked to.",
        discussion: """
            Arguments are JSON or plain words: 4 is a number, hello a string, '"4"' a string, '[1, 2]' a list.
            Without --wait the task's id is printed as soon as the broker has confirmed the message.

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

    @Option(help: ArgumentHelp("Keyword arguments as one JSON object.", valueName: "json"))
    var kwargs: String?

    @Option(name: .customLong("kw"), help: ArgumentHelp("One keyword argument; repeatable.", valueName: "name=value"))
    var keywords: [String] = []

    @Option(name: [.customShort("Q"), .long], help: ArgumentHelp("Queue to send it to.", valueName: "name"))
    var queue = "celery"

    @Option(help: ArgumentHelp("0…255; a higher one is run first.", valueName: "number"))
    var priority: UInt8?

    @Option(help: ArgumentHelp("Not to be run before so many seconds have passed.", valueName: "seconds"))
    var countdown: Double?

    @Option(help: ArgumentHelp("Not to be run before this time (ISO 8601).", valueName: "time"))
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

    @Flag(help: "Print one JSON object.")
    var json = false

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        if countdown != nil, eta != nil { throw ValidationError("--countdown and --eta exclude each other") }
        if let countdown, !(countdown >= 0 && countdown.isFinite) {
            throw ValidationError("--countdown must be a number of seconds, at least 0")
        }
        if wait != nil, ignoreResult { throw ValidationError("--wait waits for what --ignore-result forgoes") }
    }

    func run() throws {
        let configuration = try connection.configuration()
        let session = try ClientSession(configuration, needsBroker: true, needsStore: wait != nil)
        if wait != nil, !session.hasStore {
            throw CommandFailure.configuration(
                "--wait needs results, and the result backend is none", fix: "name one with --result-backend")
        }
        let plan = try plan(replyTo: session.replyTo, origin: session.client.origin)
        guard let taskID = plan.taskID else { throw CommandFailure(.failure, "there is nothing to send") }
        let waiting = wait.map { _ in ResultWait(session: session, taskID: taskID, asJSON: json) }
        try session.run {
            if let wait { waiting?.follow(limit: wait) }
            session.client.send(plan.effects) {
                configuration.declaration(of: $0 ?? queue)
            } done: { failure in
                if let failure {
                    session.finish(.unsent(failure))
                } else if waiting == nil {
                    session.finish()
                }
            }
        }
        if let waiting {
            let status = waiting.report()
            if status != .success { throw ExitCode(status.rawValue) }
        } else if json {
            Console.out(.object([JSONMember(key: "id", value: .string(taskID))]))
        } else {
            Console.out(taskID)
        }
    }

    private func plan(replyTo: String?, origin: String) throws(CommandFailure) -> SendingPlan {
        let context = CanvasContext(
            replyTo: replyTo, origin: origin, now: LogTime.now(), makeID: TaskCall.newID)
        do {
            return try SendingPlan(try signature(now: context.now), context)
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw CommandFailure(.usage, "\(error)")
        }
    }

    func signature(now: WallTime) throws(CommandFailure) -> JSON {
        var named = try kwargs.map { text throws(CommandFailure) in try PlainValue.keywords(text) } ?? []
        for word in keywords {
            let member = try PlainValue.keyword(word)
            named.removeAll { $0.key == member.key }
            named.append(member)
        }
        var steps = [
            CallStep.signature(task, args: arguments.map(PlainValue.read), kwargs: named, options: options(now: now))
        ]
        for text in chain { steps.append(try CallStep(text, option: "--chain").json(everyStep)) }
        var links: [JSON] = []
        for text in link { links.append(try CallStep(text, option: "--link").json(everyStep)) }
        var errbacks: [JSON] = []
        for text in linkError { errbacks.append(try CallStep(text, option: "--link-error").json(everyStep)) }
        var ending: [JSONMember] = []
        if let id { ending.append(JSONMember(key: "task_id", value: .string(id))) }
        if !links.isEmpty { ending.append(JSONMember(key: "link", value: .array(links))) }
        if !errbacks.isEmpty { ending.append(JSONMember(key: "link_error", value: .array(errbacks))) }
        return steps.count == 1
            ? CallStep.with(ending, steps[0]) : CallStep.with(ending, CallStep.chain(steps))
    }

    /// The queue is said for every step: a worker would route those that say nothing by its own settings.
    private var everyStep: [JSONMember] {
        let queue = JSONMember(key: "queue", value: .string(queue))
        return ignoreResult ? [queue, JSONMember(key: "ignore_result", value: .bool(true))] : [queue]
    }

    /// Of the first step: time and limits are about it alone.
    private func options(now: WallTime) -> [JSONMember] {
        var members = everyStep
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
