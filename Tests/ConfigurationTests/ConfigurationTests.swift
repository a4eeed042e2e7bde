// Flags over environment over file over defaults, and what comes of them.
import Ports
import Settings
import TaskModel
import Testing
import Transports

@testable import Configuration
@testable import Output

@Suite("Configuration")
struct ConfigurationTests {
    private func build(
        file: String = "", environment: [String: String] = [:], flags: SettingsLayer = SettingsLayer()
    ) throws -> Configuration {
        var settings = try CommandFailure.reading { () throws(SettingsFailure) in
            var read = try TOMLReader(file: "t.toml", text: file).read()
            read.overlay(try EnvironmentReader.read(environment))
            return read
        }
        settings.overlay(flags)
        return try ConfigurationBuilder(settings: settings, hostName: "vm.example.org", processors: 2).build()
    }

    private func failure(
        file: String = "", environment: [String: String] = [:], flags: SettingsLayer = SettingsLayer()
    ) -> CommandFailure? {
        do {
            _ = try build(file: file, environment: environment, flags: flags)
            return nil
        } catch {
            return error as? CommandFailure
        }
    }

    @Test("nothing set means the embedded broker, its file for results, queue celery and a child per CPU")
    func defaults() throws {
        let made = try build()
        #expect(made.broker.urls == ["sqlite:"])
        #expect(made.results.redacted() == "sqlite:")
        #expect(made.queues.entries.map(\.name) == ["celery"])
        #expect(made.concurrency == 2)
        #expect(made.nodeName == "celery@vm.example.org")
        #expect(made.isolation == .asTasksAsk)
    }

    @Test("a flag beats the environment, which beats the file")
    func precedence() throws {
        let file = "[worker]\nconcurrency = 1\ngrace = 1\nmax_starts = 9\n"
        var flags = SettingsLayer()
        flags.set(Settings.worker.concurrency, .integer(3), origin: "--concurrency")
        let variables = ["TASKHOST_CONCURRENCY": "2", "TASKHOST_GRACE": "2"]
        let made = try build(file: file, environment: variables, flags: flags)
        #expect(made.concurrency == 3)
        #expect(made[Settings.worker.grace] == 2)
        #expect(made.taskDefaults.maxStarts == 9)
    }

    @Test("bounds of the slots come in either order, and win over the concurrency")
    func autoscale() throws {
        for (text, min, max) in [("10,2", 2, 10), ("2, 10", 2, 10), ("10", 1, 10), ("10,0", 1, 10), ("3,3", 3, 3)] {
            let made = try build(environment: ["TASKHOST_AUTOSCALE": text, "TASKHOST_CONCURRENCY": "7"])
            #expect(made.autoscale?.min == min && made.autoscale?.max == max, "\(text)")
            #expect(made.slotsAtFirst == min)
        }
        for text in ["0", "-1,2", "1,2,3", "many", "4097", ","] {
            #expect(throws: CommandFailure.self) { try build(environment: ["TASKHOST_AUTOSCALE": text]) }
        }
    }

    @Test("Celery's variables are understood, and ours are stronger")
    func celeryVariables() throws {
        let celery = ["CELERY_BROKER_URL": "amqp://one//", "CELERY_RESULT_BACKEND": "redis://two/0"]
        #expect(try build(environment: celery).broker.urls == ["amqp://one//"])
        #expect(try build(environment: celery).results.redacted() == "redis://two/0")
        let both = celery.merging(["TASKHOST_BROKER": "amqp://three//"]) { $1 }
        #expect(try build(environment: both).broker.urls == ["amqp://three//"])
    }

    @Test("an AMQP broker without a result backend answers over rpc")
    func rpcByDefault() throws {
        #expect(try build(environment: ["TASKHOST_BROKER": "amqp://"]).results.isDirect)
        #expect(failure(environment: ["TASKHOST_RESULT_BACKEND": "rpc://"])?.status == .configuration)
    }

    @Test("several AMQP addresses are alternates")
    func alternates() throws {
        #expect(
            try build(environment: ["TASKHOST_BROKER": "amqp://a//;amqps://b//"]).broker.urls
                == ["amqp://a//", "amqps://b//"])
        #expect(failure(environment: ["TASKHOST_BROKER": "amqp://a//;redis://b"])?.status == .configuration)
    }

    @Test(
        "every name that Celery has for a scheme is one of ours",
        arguments: ["pyamqp", "pyamqps", "librabbitmq", "amqps", "redis+unix", "redis+socket", "unix", "rediss"])
    func schemes(scheme: String) throws {
        let url = scheme + "://h/"
        #expect(try build(environment: ["TASKHOST_BROKER": url]).broker.urls == [url])
    }

    @Test("an unknown scheme is refused without showing the password")
    func unknownScheme() {
        let told = failure(environment: ["TASKHOST_BROKER": "sqs://key:geheim@host/"])
        #expect(told?.message.contains("geheim") == false)
        #expect(told?.message.contains("sqs://key:***@host/") == true)
    }

    @Test("a file of the environment displaces the address of the settings file")
    func secretFile() {
        // The file does not exist: that it is asked for shows that it won.
        let told = failure(
            file: "[broker]\nurl = \"amqp://x\"\n", environment: ["TASKHOST_BROKER_FILE": "/nonexistent/secret"])
        #expect(told?.message.contains("/nonexistent/secret") == true)
    }

    @Test("address and file in the same place contradict each other")
    func addressTwice() {
        #expect(failure(file: "[broker]\nurl = \"amqp://x\"\nurl_file = \"/y\"\n")?.message.contains("both") == true)
    }

    @Test("a node name that can be no queue's, or would break the log, is refused with its origin")
    func nodeNames() throws {
        for name in ["w\n@h", "w\u{1B}[2J", String(repeating: "n", count: 201)] {
            let found = failure(environment: ["TASKHOST_HOSTNAME": name])
            #expect(found?.message.hasPrefix("TASKHOST_HOSTNAME: ") ?? false, "\(name.prefix(9))")
        }
        #expect(try build(environment: ["TASKHOST_HOSTNAME": "größe@%d"]).nodeName == "größe@example.org")
    }

    @Test("shares go to all queues or to none")
    func shares() throws {
        let made = try build(environment: ["TASKHOST_QUEUES": "urgent:3, normal:1"])
        #expect(made.queues.entries == [.init(name: "urgent", share: 3), .init(name: "normal", share: 1)])
        #expect(failure(environment: ["TASKHOST_QUEUES": "urgent:3,normal"])?.status == .configuration)
        #expect(failure(environment: ["TASKHOST_QUEUES": "urgent:0"])?.status == .configuration)
        #expect(failure(environment: ["TASKHOST_QUEUES": "a,a"])?.message.contains("twice") == true)
    }

    @Test("a soft limit must leave time before the hard one")
    func limits() {
        #expect(
            failure(environment: ["TASKHOST_TIME_LIMIT": "5", "TASKHOST_SOFT_TIME_LIMIT": "5"])?.status
                == .configuration)
    }

    @Test("isolation is fresh or keep:N")
    func isolation() throws {
        #expect(try build(environment: ["TASKHOST_ISOLATION": "fresh"]).isolation == .alwaysFresh)
        #expect(try build(environment: ["TASKHOST_ISOLATION": "keep:8"]).isolation == .keep(8))
        #expect(failure(environment: ["TASKHOST_ISOLATION": "keep:0"])?.status == .configuration)
    }

    @Test("a variable that is no number is told with its name")
    func badVariable() {
        #expect(
            failure(environment: ["TASKHOST_CONCURRENCY": "many"])?.message
                == "TASKHOST_CONCURRENCY must be an integer from 1 to 4096, not \"many\"")
    }

    @Test("queue and task tables reach the declaration and the overrides")
    func tables() throws {
        let made = try build(
            file: """
                [queues.urgent]
                type = "quorum"
                max_priority = 9
                dead_letter_exchange = "dlx"
                exchange = "work"
                exchange_type = "topic"
                routing_key = "work.urgent"
                [tasks."tasks.add"]
                time_limit = 5
                max_retries = -1
                keep = 0
                memory_limit = 64
                """)
        let queue = made.declaration(of: "urgent")
        #expect(queue.kind == .quorum)
        #expect(queue.maxPriority == 9)
        #expect(queue.arguments["x-dead-letter-exchange"] == .string("dlx"))
        #expect([queue.exchange, queue.exchangeType, queue.bindingKey] == ["work", "topic", "work.urgent"])
        #expect(queue.isExplicit)
        #expect(!made.declaration(of: "other").isExplicit)
        #expect(made.tasks["tasks.add"]?.hardLimit == 5)
        #expect(made.tasks["tasks.add"]?.maxRetries == .unlimited)
        #expect(made.tasks["tasks.add"]?.keep == 0)
        #expect(made.tasks["tasks.add"]?.memoryLimit == 64)
    }

    @Test("the log file's name expands Celery's escapes: %n is the name of the node")
    func logFile() throws {
        var settings = SettingsLayer()
        settings.overlay(
            try EnvironmentReader.read(["TASKHOST_LOG_FILE": "/log/%n-%h.log", "TASKHOST_HOSTNAME": "w1@%h"]))
        let builder = ConfigurationBuilder(settings: settings, hostName: "vm.example.org", processors: 1)
        #expect(try builder.logFile() == "/log/w1-vm.example.org.log")
    }

    @Test(
        "node names expand Celery's escapes",
        arguments: [
            ("%h", "celery@vm.example.org"), ("w1@%h", "w1@vm.example.org"), ("%n.x@%d", "vm.x@example.org"),
            ("a%%b@c", "a%b@c"), ("w@%", "w@%"),
        ])
    func nodeNames(pattern: String, expected: String) throws {
        #expect(try build(environment: ["TASKHOST_HOSTNAME": pattern]).nodeName == expected)
    }
}
