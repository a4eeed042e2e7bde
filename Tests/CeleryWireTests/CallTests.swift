// What a client of ours sends and reads.
import CeleryWire
import TaskModel
import TaskhostJSON
import Testing

@Suite("Calls and their results")
struct CallTests {
    @Test("a call is the message a stock client sends")
    func sameAsCelery() throws {
        let golden = try GoldenTests.wire(try #require(try GoldenTests.cases("messages")[0]["message"]))
        let call = TaskCall("demo.add", args: [2, 3], id: "U1")
        let message = call.message(
            replyTo: golden.properties.replyTo, origin: golden.headers["origin"]?.text ?? "", now: noon)
        #expect(message.properties == golden.properties)
        #expect(message.headers.fields.map(\.key) == golden.headers.fields.map(\.key))
        for field in golden.headers.fields where field.key != "lang" {
            #expect(message.headers[field.key] == field.value, "\(field.key)")
        }
        #expect(try JSON(parsing: message.body) == JSON(parsing: golden.body))
    }

    @Test("everything a call can say arrives")
    func options() throws {
        var call = TaskCall("demo.full", args: ["é"], kwargs: [JSONMember(key: "k", value: [nil, 1.5])])
        call.countdown = 30
        call.expires = noon.advanced(bySeconds: 60)
        call.priority = 9
        call.hardLimit = 10
        call.softLimit = 2.5
        call.ignoreResult = true
        call.shadow = "shown"
        call.rootID = "R"
        call.parentID = "P"
        call.headers = ["x-user": .int(1)]
        let wire = call.message(replyTo: "reply", origin: "gen1@h", now: noon)
        #expect(wire.properties.expiration == "60000")
        #expect(wire.headers["x-user"] == .int(1))
        let message = try MessageDecoder().decode(delivery(wire), now: noon)
        #expect(message.id == call.id)
        #expect(message.eta == noon.advanced(bySeconds: 30))
        #expect(message.expires == noon.advanced(bySeconds: 60))
        #expect(message.priority == 9)
        #expect(message.hardLimit == 10)
        #expect(message.softLimit == 2.5)
        #expect(message.ignoreResult == true)
        #expect(message.displayName == "shown")
        #expect(message.rootID == "R")
        #expect(message.parentID == "P")
        #expect(message.replyTo == "reply")
        #expect(message.origin == "gen1@h")
        #expect(message.argsRepr == "('é',)")
        #expect(message.kwargsRepr == "{'k': [None, 1.5]}")
        #expect(text(message.body[message.argsRange]) == #"["\u00e9"]"#)
        #expect(!message.hasContinuations)
    }

    @Test("ids are version 4 UUIDs, each another one")
    func ids() throws {
        let ids = Set((0..<1000).map { _ in TaskCall.newID() })
        #expect(ids.count == 1000)
        for id in ids {
            #expect(id.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
    }

    @Test("a stored result is read, final or not", arguments: try GoldenTests.cases("metas"))
    func received(_ golden: JSON) throws {
        let bytes = Array(try #require(golden["text"]?.text).utf8)
        let meta = try ReceivedMeta(parsing: bytes)
        let document = try JSON(parsing: bytes)
        #expect(meta.taskID == "U1")
        #expect(meta.state.rawValue == document["status"]?.text)
        #expect(meta.result == document["result"])
        #expect(meta.isFinal == ["SUCCESS", "FAILURE", "REVOKED"].contains(meta.state.rawValue))
        #expect((meta.dateDone == noon) == meta.isFinal)
        #expect(meta.failureType == document["result"]?["exc_type"]?.text)
        #expect(meta.failureModule == document["result"]?["exc_module"]?.text)
        #expect(meta.failureArguments == document["result"]?["exc_message"]?.elements ?? [])
        #expect(meta.traceback == document["traceback"]?.text)
    }

    @Test("an exception is told as Python tells it")
    func failureMessages() throws {
        func message(_ arguments: String) throws -> String {
            try ReceivedMeta(
                parsing: Array(#"{"status":"FAILURE","result":{"exc_type":"E","exc_message":\#(arguments)}}"#.utf8)
            ).failureMessage
        }
        #expect(try message("[]") == "")
        #expect(try message(#"["bad"]"#) == "bad")
        #expect(try message("[7]") == "7")
        #expect(try message(#"["bad",7]"#) == "('bad', 7)")
        #expect(try message(#""bad""#) == "bad")
        #expect(throws: JSONError.self) { try ReceivedMeta(parsing: Array("[]".utf8)) }
        #expect(throws: JSONError.self) { try ReceivedMeta(parsing: []) }
    }

    @Test(
        "a child cannot break the document its result is stored in",
        arguments: ["", "5,", "5}", "\"", "[1", "{\"a\":}", "5 5", "\u{0}"])
    func hostileResults(_ result: String) throws {
        var message = TaskMessage(id: "U1", name: "demo.add")
        message.stampedHeaders = ["status", "task_id", "mine"]
        message.stamps = ["status": .string("SUCCESS"), "task_id": .string("U2"), "mine": .int(1)]
        let fields = ExtendedFields(worker: "w@h", queue: "q")
        let bytes = Array(result.utf8)
        #expect(ResultMeta.problem(in: bytes)?.type == "EncodeError")
        let failure = TaskFailure(type: "E", module: "m", arguments: bytes, traceback: nil)
        for document in [
            ResultMeta.success(of: message, result: bytes, at: noon, extended: fields),
            ResultMeta.custom(of: message, state: "A\",\"B", meta: bytes, extended: fields),
            ResultMeta.failure(of: message, failure: failure, at: noon, extended: fields),
            ResultMeta.retry(of: message, cause: failure, extended: fields),
        ] {
            let meta = try JSON(parsing: document)
            let keys = meta.members?.map(\.key) ?? []
            #expect(Set(keys).count == keys.count)
            #expect(meta["task_id"] == "U1")
            #expect(meta["mine"] == 1)
        }
    }

    @Test("a lost child's stack and last words are in the traceback")
    func workerLost() throws {
        let death = Death(cause: .signal(11), address: 0, stack: ["crash_here at saboteur.so"])
        let failure = CeleryFailure.workerLost(death, output: Array("about to crash".utf8))
        #expect(text(failure.arguments) == #"["Worker exited prematurely: signal 11 (SIGSEGV)."]"#)
        #expect(failure.traceback?.contains("crash_here at saboteur.so") == true)
        #expect(failure.traceback?.contains("about to crash") == true)
        #expect(CeleryFailure.workerLost(Death(cause: .exit(3))).traceback == nil)
    }
}
