// What people type, and what becomes of it.
import Canvas
import CeleryWire
import Settings
import TaskModel
import TaskhostJSON
import Testing

@testable import Fleet
@testable import Output
@testable import taskhost

@Suite("Arguments")
struct ArgumentTests {
    @Test(
        "a word is JSON if it can be, else itself",
        arguments: [
            ("4", JSON.int(4)), ("4.0", .double(4)), ("hello", .string("hello")), ("\"4\"", .string("4")),
            ("true", .bool(true)), ("null", .null), ("[1, \"a\"]", .array([.int(1), .string("a")])),
            (" -6", .int(-6)), ("", .string("")), ("photo.jpg", .string("photo.jpg")),
        ])
    func plainValues(word: String, value: JSON) {
        #expect(PlainValue.read(word) == value)
    }

    @Test("a keyword is name=value, and the value may hold an equals sign")
    func keywords() throws {
        #expect(try PlainValue.keyword("y=1") == JSONMember(key: "y", value: .int(1)))
        #expect(try PlainValue.keyword("q=a=b") == JSONMember(key: "q", value: .string("a=b")))
        #expect(throws: CommandFailure.self) { try PlainValue.keyword("=1") }
        #expect(throws: CommandFailure.self) { try PlainValue.keyword("y") }
    }

    @Test("a subcommand that is none is told which was meant")
    func strangers() {
        #expect(ArgumentOrder.unknownSubcommand(["statu"])?.fix == "taskhost status")
        #expect(ArgumentOrder.unknownSubcommand(["frobnicate"])?.fix == "`taskhost --help` lists the subcommands")
        for words in [["status"], ["help", "x"], ["-Q", "a"], []] {
            #expect(ArgumentOrder.unknownSubcommand(words) == nil)
        }
    }

    @Test("--kwargs takes an object and nothing else")
    func keywordObject() throws {
        #expect(try PlainValue.keywords("{\"y\": 1}") == [JSONMember(key: "y", value: .int(1))])
        #expect(throws: CommandFailure.self) { try PlainValue.keywords("[1]") }
        #expect(throws: CommandFailure.self) { try PlainValue.keywords("{y: 1}") }
    }

    @Test(
        "global options may stand before the subcommand, as with Celery",
        arguments: [
            (["-b", "amqp://", "worker", "-Q", "a"], ["worker", "-b", "amqp://", "-Q", "a"]),
            (["--broker=amqp://", "call", "t"], ["call", "--broker=amqp://", "t"]),
            (["--config", "f", "-b", "u", "result", "i"], ["result", "--config", "f", "-b", "u", "i"]),
            (["--queues", "a"], ["--queues", "a"]), (["-b", "u", "-Q", "a"], ["-b", "u", "-Q", "a"]),
            (["--help"], ["--help"]), ([], []), (["-A", "proj"], ["-A", "proj"]),
            (["-A", "proj", "worker", "-l", "info"], ["worker", "-A", "proj", "-l", "info"]),
            (["-Aproj", "--workdir", "w", "beat", "next"], ["beat", "next", "-Aproj", "--workdir", "w"]),
        ])
    func order(words: [String], expected: [String]) {
        #expect(ArgumentOrder.normalise(words) == expected)
    }

    @Test("a bare --wait waits without end, and takes no argument of the task for its seconds")
    func wait() {
        #expect(ArgumentOrder.normalise(["call", "t", "--wait", "4"]) == ["call", "t", "--wait=forever", "4"])
        #expect(ArgumentOrder.normalise(["call", "t", "--wait=4"]) == ["call", "t", "--wait=4"])
        #expect(WaitTime(argument: "forever")?.seconds == nil)
        #expect(WaitTime(argument: "2.5")?.seconds == 2.5)
        #expect(WaitTime(argument: "-1") == nil)
    }

    @Test("a negative number is an argument of the task, no option")
    func negative() throws {
        let words = ArgumentOrder.normalise(["call", "t", "-6", "--queue", "q"])
        let parsed = try TaskhostCommand.parseAsRoot(words)
        let call = try #require(parsed as? CallCommand)
        #expect(call.arguments.map(PlainValue.read) == [.int(-6)])
        #expect(call.queue == "q")
    }

    @Test("Celery's forms of call, purge, inspect, events and of levels are understood")
    func celerysForms() throws {
        func parsed<Command>(_ words: String...) throws -> Command {
            try #require(try TaskhostCommand.parseAsRoot(ArgumentOrder.normalise(words)) as? Command)
        }
        let call: CallCommand = try parsed("call", "t", "-a", "[4, 6]", "-k", #"{"z": 1}"#)
        let routes = Routes([.init(pattern: "*", target: .queue("routed"))], defaultQueue: "celery")
        let signature = try call.signature(now: WallTime(microseconds: 0), routes).json
        #expect(signature["args"] == [4, 6])
        #expect(signature["options"]?["queue"] == "routed")
        let purge: PurgeCommand = try parsed("purge", "-f")
        #expect(purge.force && purge.named.isEmpty)
        let inspect: InspectCommand = try parsed("inspect", "ping", "-j")
        #expect(inspect.options.remote.json)
        let events: EventsCommand = try parsed("events", "--dump")
        #expect(events.dump)
        let worker: WorkerCommand = try parsed("worker", "-l", "30")
        #expect(try worker.logging.flags()[Settings.log.level] == .warning)
    }

    @Test("the worker is the command when none is named")
    func defaultCommand() throws {
        let parsed = try TaskhostCommand.parseAsRoot(ArgumentOrder.normalise(["--queues", "urgent,normal"]))
        #expect((parsed as? WorkerCommand)?.worker.queues == "urgent,normal")
    }

    @Test("--max-tasks-per-child is the other word for isolation")
    func tasksPerChild() throws {
        func isolation(_ words: [String]) throws -> String? {
            let parsed = try TaskhostCommand.parseAsRoot(["worker"] + words)
            return try (parsed as? WorkerCommand)?.worker.flags()[Settings.worker.isolation]
        }
        #expect(try isolation(["--max-tasks-per-child", "1"]) == "fresh")
        #expect(try isolation(["--max-tasks-per-child", "9"]) == "keep:9")
        #expect(throws: CommandFailure.self) { try isolation(["--max-tasks-per-child", "9", "--isolation", "fresh"]) }
    }

    @Test("expiry is seconds from now or a point in time")
    func expiry() {
        let now = WallTime(secondsSince1970: 100)
        #expect(Expiry(argument: "5")?.time(now: now) == WallTime(secondsSince1970: 105))
        #expect(Expiry(argument: "1970-01-01T00:01:00Z")?.time(now: now) == WallTime(secondsSince1970: 60))
        #expect(Expiry(argument: "soon") == nil)
    }

    @Test("nobody named is not everybody", arguments: ["", ",", " , "])
    func nobody(list: String) {
        for words in [["control", "shutdown"], ["status"], ["inspect", "ping"], ["top"]] {
            #expect(throws: (any Error).self) { try TaskhostCommand.parseAsRoot(words + ["-d", list]) }
            #expect(throws: Never.self) { try TaskhostCommand.parseAsRoot(words + ["-d", "w1@h,"]) }
        }
    }

    @Test("of a revocation, which nobody answers, a signal that is none is refused before it is sent")
    func signals() {
        func parse(_ words: String...) throws { _ = try TaskhostCommand.parseAsRoot(["revoke", "x"] + words) }
        #expect(throws: (any Error).self) { try parse("--terminate", "--signal", "SIGFOO") }
        #expect(throws: (any Error).self) { try parse("--signal", "KILL") }
        #expect(throws: Never.self) { try parse("--terminate", "--signal", "KILL") }
        #expect(throws: Never.self) { try parse("--terminate") }
    }
}
