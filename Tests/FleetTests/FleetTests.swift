// What operators type, and what they are shown.
import TaskhostJSON
import Testing

@testable import Control
@testable import Fleet
@testable import Output

@Suite("Operating")
struct FleetTests {
    private func method(_ name: String) throws -> RemoteMethod {
        try RemoteMethod(name, verb: CommandTable.all[name]?.verb ?? .inspect)
    }

    @Test("words become arguments by name, numbers as numbers")
    func arguments() throws {
        let limits = try method("time_limit").arguments(["tasks.add", "2.5", "10"])
        #expect(JSON.object(limits) == ["task_name": "tasks.add", "soft": 2.5, "hard": 10])
        let ended = try method("terminate").arguments(["KILL", "a", "b"])
        #expect(JSON.object(ended) == ["signal": "KILL", "task_id": ["a", "b"]])
        #expect(try method("registered").arguments([]).isEmpty)
    }

    @Test("missing, surplus and wrong words are refused with the usage")
    func wrongArguments() {
        for words in [["tasks.add"], ["tasks.add", "soon"], ["tasks.add", "1", "2", "3"]] {
            let failure = #expect(throws: CommandFailure.self) { try method("time_limit").arguments(words) }
            #expect(failure?.status == .usage && failure?.fix?.contains("time_limit TASK_NAME SOFT [HARD]") == true)
        }
    }

    @Test("a method of the other command is told where it belongs")
    func otherCommand() {
        let failure = #expect(throws: CommandFailure.self) {
            try RemoteMethod("rate_limit", verb: .inspect)
        }
        #expect(failure?.fix == "taskhost control rate_limit")
    }

    @Test("replies have the shape of Celery's command line")
    func replies() {
        #expect(ReplyText.lines(node: "w@h", ["ok": "pong"]) == ["->  w@h: OK", "    pong"])
        #expect(ReplyText.lines(node: "w@h", ["error": "no"]) == ["->  w@h: ERROR", "    no"])
        #expect(ReplyText.lines(node: "w@h", []) == ["->  w@h: OK", "    - empty -"])
        #expect(ReplyText.lines(node: "w@h", ["a", "b"]) == ["->  w@h: OK", "    * a", "    * b"])
        #expect(ReplyText.lines(node: "w@h", .null) == ["->  w@h: OK"])
        let lines = ReplyText.lines(node: "w@h", ["a": 1, "b": [2]])
        let body = ["{", "    \"a\": 1,", "    \"b\": [", "        2", "    ]", "}"]
        #expect(lines.dropFirst().map { String($0.dropFirst(4)) } == body)
    }

    private static let replies: [String: [JSONMember]] = [
        "stats": [
            JSONMember(
                key: "w1@h", value: ["uptime": 3725, "pool": ["max-concurrency": 2], "total": ["a": 3, "b": 4]])
        ],
        "active": [
            JSONMember(
                key: "w1@h",
                value: [["id": "x1", "name": "tasks.add", "args": [4], "kwargs": ["y": 6], "time_start": 1000]])
        ],
        "active_queues": [JSONMember(key: "w1@h", value: [["name": "celery"], ["name": "urgent"]])],
        "reserved": [JSONMember(key: "w1@h", value: [])],
        "scheduled": [
            JSONMember(key: "w1@h", value: [1, 2, 3]),
            JSONMember(key: "w2@h", value: .array(Array(repeating: 1, count: 100))),
        ],
        "report": [
            JSONMember(key: "w1@h", value: ["ok": "\nsoftware -> celery:5.7 taskhost:0.1.0\nplatform -> x"]),
            JSONMember(key: "w2@h", value: ["ok": "\nsoftware -> celery:5.7.0 (opalescent) kombu:5.6"]),
        ],
    ]

    @Test("the fleet is a table, with what runs below its worker")
    func table() {
        let lines = FleetText.lines(FleetStatus(Self.replies), at: 1012)
        #expect(
            lines == [
                "NODE  VERSION         UP     BUSY  WAITING  LATER  STARTED  QUEUES",
                "w1@h  taskhost 0.1.0  1h 2m  1/2   0        3      7        celery,urgent",
                "  12s     tasks.add(4, y=6)  x1",
                "w2@h  celery 5.7.0    ?      0/?   ?        100+   0",
            ])
    }

    @Test("a worker that stops is shown as stopping, below its row and in JSON")
    func stopping() {
        var replies = Self.replies
        replies["overview"] = [JSONMember(key: "w1@h", value: ["queues": [], "stopping": true])]
        let fleet = FleetStatus(replies)
        #expect(FleetText.lines(fleet, at: 1012)[2].hasPrefix("  stopping: "))
        #expect(fleet.json(at: 1012)["w1@h"]?["stopping"] == true && fleet.json(at: 1012)["w2@h"]?["stopping"] == false)
    }

    @Test("of a queue's pause one worker that obeys is enough, of other commands all must")
    func oneIsEnough() throws {
        let no = JSONMember(key: "w1@h", value: ["error": "not consuming from urgnt (consumed: urgent)"])
        let yes = JSONMember(key: "w2@h", value: ["ok": "paused urgent"])
        for name in ["pause_queue", "resume_queue"] {
            #expect(try !method(name).failed([no, yes]) && method(name).failed([no]))
        }
        #expect(try method("rollback_bundle").failed([no, yes]) && !method("rollback_bundle").failed([yes]))
    }

    @Test("names that several workers share are found")
    func shared() {
        let replies = ["w2@h", "w1@h", "w2@h"].map { JSONMember(key: $0, value: ["ok": "pong"]) }
        #expect(FleetInquiry.repeated(replies) == ["w2@h"])
    }

    @Test("help on methods fits into 80 columns")
    func helpWidth() {
        for verb in RemoteCommand.Verb.allCases {
            #expect(CommandTable.all.help(verb).split(separator: "\n").allSatisfy { $0.count < 80 })
        }
    }

    @Test("a command that taskhost does not know is sent as it is, with arguments by name")
    func foreignCommand() throws {
        for verb in RemoteCommand.Verb.allCases {
            let own = try RemoteMethod("increase_shards", verb: verb)
            #expect(own.name == "increase_shards")
            #expect(
                try JSON.object(own.arguments(["by=2", "of=users", "why=a=b"])) == [
                    "by": 2, "of": "users", "why": "a=b",
                ])
            let failure = #expect(throws: CommandFailure.self) { try own.arguments(["2"]) }
            #expect(failure?.status == .usage)
        }
    }

    @Test("a worker that has no such command is known by its reply")
    func unknown() throws {
        let own = try RemoteMethod("increase_shards", verb: .control)
        #expect(own.isUnknown(by: ["error": "KeyError('increase_shards')"]))
        #expect(!own.isUnknown(by: ["error": "KeyError('users')"]))
        #expect(!own.isUnknown(by: ["ok": "4 shards"]))
        #expect(try !method("ping").isUnknown(by: ["error": "KeyError('ping')"]))
        #expect(own.unknownToAll().message == "no worker that replied knows the command 'increase_shards'")
    }

    @Test("older names are sent as they are given")
    func alias() throws {
        #expect(try RemoteMethod("dump_active", verb: .inspect).name == "dump_active")
        #expect(throws: CommandFailure.self) { try RemoteMethod("dump_active", verb: .control) }
    }

    @Test("a command that is one more row is listed in help, and its words become arguments")
    func oneMoreRow() throws {
        let row = RemoteCommand(
            "made_up", .changes, CommandHandler.ping, "nothing in earnest",
            [.text("what"), .number("n", isOptional: true)])
        let table = CommandTable(CommandTable.all.commands + [row])
        #expect(table.help(.control).contains("  made_up WHAT [N]        nothing in earnest\n"))
        #expect(!table.help(.inspect).contains("made_up"))
        let method = try RemoteMethod("made_up", verb: .control, among: table)
        #expect(try JSON.object(method.arguments(["x", "3"])) == ["what": "x", "n": 3])
        #expect(throws: CommandFailure.self) { try RemoteMethod("made_up", verb: .inspect, among: table) }
    }

    @Test("ages are short")
    func ages() {
        #expect(
            [0.44, 12.9, 307, 11520, 360_000].map(DurationText.age) == ["0.4s", "12s", "5m 07s", "3h 12m", "4d 4h"])
    }
}
