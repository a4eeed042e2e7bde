// What operators type, and what they are shown.
import TaskhostJSON
import Testing

@testable import taskhost

@Suite("Operating")
struct FleetTests {
    private func method(_ name: String) throws -> RemoteMethod {
        try RemoteMethod.find(name, among: RemoteMethod.inspecting + RemoteMethod.controlling)
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
            try RemoteMethod.find("rate_limit", among: RemoteMethod.inspecting)
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
                "NODE  VERSION         UP     BUSY  WAITING  STARTED  QUEUES",
                "w1@h  taskhost 0.1.0  1h 2m  1/2   0        7        celery,urgent",
                "  12s     tasks.add(4, y=6)  x1",
                "w2@h  celery 5.7.0    ?      0/?   ?        0",
            ])
    }

    @Test("nobody named is not everybody", arguments: ["", ",", " , "])
    func nobody(list: String) {
        for words in [["control", "shutdown"], ["status"], ["inspect", "ping"], ["top"]] {
            #expect(throws: (any Error).self) { try TaskhostCommand.parseAsRoot(words + ["-d", list]) }
            #expect(throws: Never.self) { try TaskhostCommand.parseAsRoot(words + ["-d", "w1@h,"]) }
        }
    }

    @Test("names that several workers share are found")
    func shared() {
        let replies = ["w2@h", "w1@h", "w2@h"].map { JSONMember(key: $0, value: ["ok": "pong"]) }
        #expect(RemoteOptions.repeated(replies) == ["w2@h"])
    }

    @Test("of a revocation, which nobody answers, a signal that is none is refused before it is sent")
    func signals() {
        func parse(_ words: String...) throws { _ = try TaskhostCommand.parseAsRoot(["revoke", "x"] + words) }
        #expect(throws: (any Error).self) { try parse("--terminate", "--signal", "SIGFOO") }
        #expect(throws: (any Error).self) { try parse("--signal", "KILL") }
        #expect(throws: Never.self) { try parse("--terminate", "--signal", "KILL") }
        #expect(throws: Never.self) { try parse("--terminate") }
    }

    @Test("help on methods fits into 80 columns")
    func helpWidth() {
        for methods in [RemoteMethod.inspecting, RemoteMethod.controlling] {
            #expect(RemoteMethod.help(methods).split(separator: "\n").allSatisfy { $0.count < 80 })
        }
    }

    @Test("ages are short")
    func ages() {
        #expect([0.44, 12.9, 307, 11520, 360_000].map(FleetText.age) == ["0.4s", "12s", "5m 07s", "3h 12m", "4d 4h"])
    }
}
