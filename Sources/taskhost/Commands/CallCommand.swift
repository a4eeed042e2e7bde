import ArgumentParser
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
        let call = try taskCall(now: LogTime.now())
        let waiting = wait.map { _ in ResultWait(session: session, taskID: call.id, asJSON: json) }
        try session.run {
            if let wait { waiting?.follow(limit: wait) }
            session.client.send(call, to: configuration.declaration(of: queue), now: LogTime.now()) { failure in
                if let failure {
                    session.finish(.unavailable(failure, "not sent"))
                } else if waiting == nil {
                    session.finish()
                }
            }
        }
        if let waiting {
            let status = waiting.report()
            if status != .success { throw ExitCode(status.rawValue) }
        } else if json {
            Console.out(.object([JSONMember(key: "id", value: .string(call.id))]))
        } else {
            Console.out(call.id)
        }
    }

    private func taskCall(now: WallTime) throws(CommandFailure) -> TaskCall {
        var named = try kwargs.map { text throws(CommandFailure) in try PlainValue.keywords(text) } ?? []
        for word in keywords {
            let member = try PlainValue.keyword(word)
            named.removeAll { $0.key == member.key }
            named.append(member)
        }
        var call = TaskCall(task, args: arguments.map(PlainValue.read), kwargs: named)
        if let id { call.id = id }
        call.queue = queue
        call.priority = priority
        call.eta = eta?.time ?? countdown.map { now.advanced(bySeconds: $0) }
        call.expires = expires?.time(now: now)
        call.softLimit = softTimeLimit
        call.hardLimit = timeLimit
        call.ignoreResult = ignoreResult
        return call
    }
}
