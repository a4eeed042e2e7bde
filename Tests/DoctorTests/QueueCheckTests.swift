// What `taskhost doctor` makes of RabbitMQ's queues, by the broker's version and words.
import Ports
import Settings
import TaskModel
import Testing

@testable import Configuration
@testable import Doctor
@testable import RabbitMQ

@Suite("Doctor and the queues of RabbitMQ")
struct QueueCheckTests {
    private func check(_ version: String, _ toml: String = "", _ found: [String: String]?...) throws -> QueueCheck {
        let settings = try TOMLReader(file: "t.toml", text: toml).read()
        let configuration = try ConfigurationBuilder(settings: settings, hostName: "h", processors: 1).build()
        let queues = found.enumerated().map { number, arguments in
            RabbitMQExamination.Queue(
                name: "q\(number)",
                found: arguments.map { arguments in
                    var found = RabbitMQExamination.Found()
                    for (key, value) in arguments { found.arguments[key] = .string(value) }
                    return found
                })
        }
        var question = Doctor.brokerQuestion(configuration, tasks: [], command: nil)
        question.queues = queues.map { configuration.declaration(of: $0.name) }
        return QueueCheck(
            question: question,
            examination: RabbitMQExamination(
                version: RabbitMQVersion(version), queues: queues, missingExchanges: []),
            policies: nil)
    }

    private static let quorum = ["x-queue-type": "quorum"]
    private static let asked = "[queues.q0]\ntype = \"quorum\"\nmax_priority = 9\n"

    @Test("each version's words for what a queue has are understood")
    func words() {
        func current(_ argument: String, _ rest: String) -> PreconditionText.Current? {
            PreconditionText.current(
                "declaring queue 'q': the broker says 406 PRECONDITION_FAILED - inequivalent arg '\(argument)' for queue "
                    + "'q' in vhost '/': received \(rest)")
        }
        // 3.10.8
        let typed = current("x-queue-type", "none but current is the value 'quorum' of type 'longstr'")
        #expect(typed?.value == .string("quorum"))
        let none = current("x-max-priority", "the value '4' of type 'signedint' but current is none")
        #expect(none != nil && none?.value == nil)
        #expect(current("durable", "'true' but current is 'false'")?.value == .bool(false))
        // 4.0.5 and 4.3.6
        #expect(current("x-queue-type", "'classic' but current is 'quorum'")?.value == .string("quorum"))
        #expect(current("x-queue-type", "'quorum' but current is 'stream'")?.value == .string("stream"))
        #expect(current("x-max-priority", "'5' but current is '4'")?.value == .int(4))
        #expect(current("x-dead-letter-routing-key", "'a' but current is 'it's'")?.value == .string("it's"))
        #expect(current("x-queue-type", "something else") == nil)
    }

    @Test("a missing quorum queue with priorities: 4.x needs no argument, before the worker refuses")
    func missing() throws {
        let old = try check("3.10.8", Self.asked, nil).findings()
        #expect(old.map(\.level) == [.ok, .fail] && old[1].fix?.contains("leave max_priority out") == true)
        let new = try check("4.3.6", Self.asked, nil).findings()
        #expect(new.map(\.level) == [.ok, .note] && new[1].detail.contains("0 to 31"))
        let plain = try check("4.3.6", "", nil).findings()
        #expect(plain.map(\.level) == [.ok] && plain[0].detail.contains("default_queue_type"))
    }

    @Test("a quorum queue that is there differs in no priority, and is told from classic ones and streams")
    func present() throws {
        let limited = Self.quorum.merging(["x-delivery-limit": "50"]) { a, _ in a }
        let old = try check("3.10.8", Self.asked, limited).findings()
        #expect(old.map(\.level) == [.warn] && old[0].detail.contains("no priorities"))
        let two = try check("4.0.5", Self.asked, limited).findings()
        #expect(two.map(\.level) == [.ok, .note] && two[1].detail.contains("5 or more"))
        let unlimited = try check("4.0.5", "", Self.quorum).findings()
        #expect(unlimited.map(\.level) == [.ok, .note] && unlimited[1].detail.contains("20 deliveries"))
        #expect(try check("3.10.8", "", Self.quorum).findings() == [.ok("queue q0", "quorum queue")])
        #expect(try check("4.3.6", "", ["x-queue-type": "stream"]).findings().map(\.level) == [.fail])
    }

    @Test("a schedule's priority has an effect in a quorum queue from 4.0 on")
    func schedules() throws {
        let toml = "[schedules.x]\ntask = \"t\"\nevery = 5\npriority = 3\nqueue = \"q0\"\n"
        let limited = Self.quorum.merging(["x-delivery-limit": "50"]) { a, _ in a }
        #expect(try check("4.0.5", toml, limited).findings().map(\.level) == [.ok])
        #expect(try check("3.13.1", toml, limited).findings().map(\.level) == [.warn])
        #expect(try check("4.3.6", toml, [:]).findings().map(\.level) == [.warn])
    }

    @Test("classic queues have a consumer_timeout up to 4.2")
    func timed() throws {
        #expect(try check("4.2.9", "", [:], Self.quorum).timedQueues == ["q0", "q1"])
        #expect(try check("4.3.6", "", [:], Self.quorum).timedQueues == ["q1"])
        #expect(try check("4.3.6", Self.asked, nil, nil).timedQueues == ["q0"])
        #expect(try check("", "", [:]).timedQueues == ["q0"])
    }

    @Test("settings of a task that no bundle has are told with the name that was meant")
    func strangers() throws {
        func check(_ names: [String], tasks: [String] = ["tc.twice", "b.short"]) throws -> TaskCheck {
            let toml = names.map { "[tasks.\"\($0)\"]\ntime_limit = 4\n" }.joined()
            let settings = try TOMLReader(file: "t.toml", text: toml).read()
            let configuration = try ConfigurationBuilder(settings: settings, hostName: "h", processors: 1).build()
            let tasks = tasks.map {
                TaskManifest(index: 0, name: $0, parameters: [], result: nil, options: TaskOptions())
            }
            return TaskCheck(configuration: configuration, tasks: tasks)
        }
        let found = try check(["tcpp.twise", "tc.twise", "none.*", "b.*", "tc.twice", "celery.chain"])
        #expect(found.strangers().map(\.name) == ["none.*", "tc.twise", "tcpp.twise"])
        #expect(found.strangerFindings().allSatisfy { $0.level == .warn })
        #expect(found.strangerFindings()[1].fix == "did you mean [tasks.\"tc.twice\"]?")
        #expect(found.warningsAtStart().first?.contains("[tasks.\"tc.twise\"] (did you mean 'tc.twice'?)") == true)
        #expect(try check(["tc.twice", "*"]).warningsAtStart() == [])
        #expect(try check(["tc.twise"], tasks: []).strangerFindings().isEmpty)
    }

    @Test("hard limits that reach the consumer_timeout are told at the start, on RabbitMQ only")
    func atStart() throws {
        func warning(_ toml: String) throws -> String? {
            let settings = try TOMLReader(file: "t.toml", text: toml).read()
            let configuration = try ConfigurationBuilder(settings: settings, hostName: "h", processors: 1).build()
            let tasks = ["a.long", "b.short"].map {
                TaskManifest(index: 0, name: $0, parameters: [], result: nil, options: TaskOptions())
            }
            return TaskCheck(configuration: configuration, tasks: tasks).warningsAtStart().first
        }
        let amqp = "[broker]\nurl = \"amqp://localhost//\"\n"
        let limits = "[worker]\ntime_limit = 60\n[tasks.\"a.long\"]\ntime_limit = 1750\n"
        let told = try #require(try warning(amqp + limits))
        #expect(told.contains("a.long") && !told.contains("b.short") && told.contains("1800 s"))
        #expect(try warning(amqp + "consumer_timeout = 3600\n" + limits) == nil)
        #expect(try warning(amqp + "consumer_timeout = 0\n" + limits) == nil)
        #expect(try warning(amqp + "[worker]\ntime_limit = 1740\n") == nil)
        #expect(try warning(amqp) == nil)
        #expect(try warning("[broker]\nurl = \"redis://localhost/0\"\n" + limits) == nil)
    }
}
