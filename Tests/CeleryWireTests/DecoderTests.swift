// Which messages are taken, and what becomes of the rest (celery-protocol.md §1.10).
import CeleryWire
import TaskModel
import TaskhostJSON
import Testing

@Suite("Decoding messages")
struct DecoderTests {
    private func decode(_ delivery: Delivery, limits: WireLimits = .standard) throws(WireError) -> TaskMessage {
        try MessageDecoder(limits: limits).decode(delivery, now: noon)
    }

    private func code(_ delivery: Delivery, limits: WireLimits = .standard) -> WireError.Code? {
        do throws(WireError) {
            _ = try decode(delivery, limits: limits)
            return nil
        } catch {
            return error.code
        }
    }

    private func headers(_ more: FieldTable) -> FieldTable {
        var headers: FieldTable = ["task": .string("demo.add"), "id": .string("U1")]
        for field in more.fields { headers[field.key] = field.value }
        return headers
    }

    @Test("shown texts that are no Unicode refuse no message")
    func shownBytes() throws {
        let bytes = FieldValue.bytes(Array("('".utf8) + [0xED, 0xB3, 0xBF] + Array("',)".utf8))
        let shown: FieldTable = ["argsrepr": bytes, "kwargsrepr": bytes, "shadow": bytes, "origin": bytes]
        let message = try decode(delivery(body: #"[["\udcff"],{},{}]"#, headers: headers(shown)))
        #expect(message.argsRepr.hasPrefix("('") && message.argsRepr.hasSuffix("',)"))
        #expect(text(message.body[message.argsRange]) == #"["\udcff"]"#)
        #expect(code(delivery(headers: headers(["parent_id": bytes]))) == .malformedHeader)
    }

    @Test("two headers and a body are enough")
    func minimal() throws {
        let message = try decode(delivery(body: " [ [2, 3] , {\"k\":1}, {} ] "))
        #expect(message.id == "U1")
        #expect(message.name == "demo.add")
        #expect(text(message.body[message.argsRange]) == "[2, 3]")
        #expect(text(message.body[message.kwargsRange]) == "{\"k\":1}")
        #expect(text(message.body[message.embedRange]) == "{}")
        #expect(message.retries == 0)
        #expect(message.priorStarts == 0)
        #expect(!message.hasContinuations)
        #expect(message.argumentsFailure == nil)
    }

    @Test(
        "null or nothing in place of a part is an empty part",
        arguments: ["[[1],{},null]", "[[1],{}]", "[[1],null,null]", "[[1], null , {} ]"])
    func emptyParts(_ body: String) throws {
        let message = try decode(delivery(body: body))
        #expect(text(message.body) == "[[1],{},{}]")
        #expect(text(message.body[message.argsRange]) == "[1]")
        #expect(text(message.body[message.kwargsRange]) == "{}")
        #expect(text(message.body[message.embedRange]) == "{}")
    }

    @Test("args may be null, too")
    func nullArgs() throws {
        #expect(text(try decode(delivery(body: "[null,{\"k\":[1, 2]},{}]")).body) == "[[],{\"k\":[1, 2]},{}]")
    }

    @Test(
        "sees whether anything is to follow",
        arguments: [
            (#"{"callbacks": null, "errbacks": null, "chain": null, "chord": null}"#, false),
            (#"{"chain": []}"#, false),
            (#"{"callbacks":[{"task":"x"}]}"#, true), (#"{"errbacks":[{}]}"#, true), (#"{"chain":[{}]}"#, true),
            (#"{"chord":{"task":"x"}}"#, true), (#"{"ch\u0061in":[{}]}"#, true),
            (#"{"chain":[{}],"chain":null}"#, false),
            (#"{"chain":null,"chain":[{}]}"#, true), (#"{"other":[1]}"#, false),
        ])
    func continuations(_ embed: String, _ expected: Bool) throws {
        #expect(try decode(delivery(body: "[[],{},\(embed)]")).hasContinuations == expected)
    }

    @Test(
        "args that are no list and kwargs that are no map are the task's failure, not the message's",
        arguments: ["[{},{},{}]", "[1,{},{}]", "[[],[],{}]", "[[],\"x\",{}]"])
    func badArguments(_ body: String) throws {
        let failure = try #require(try decode(delivery(body: body)).argumentsFailure)
        #expect(failure.type == "TypeError")
        #expect(failure.module == "builtins")
    }

    @Test(
        "a body that is nothing of the kind is malformed",
        arguments: [
            "", " ", "[]", "[[]]", "[[],{},{},{}]", "[[],{},1]", "[[],{},[]]", "1", "\"text\"", "null", "[[],{},{}",
            "[[],{},{}]x",
            "{}", #"{"task":"demo.add"}"#, "[[01],{},{}]", "{\"args\":",
        ])
    func malformedBody(_ body: String) {
        #expect(code(delivery(body: body)) == .malformedBody)
    }

    @Test("header limits are hard first, and 0 means none")
    func timeLimits() throws {
        let message = try decode(delivery(headers: headers(["timelimit": .array([.int(10), .double(2.5)])])))
        #expect(message.hardLimit == 10)
        #expect(message.softLimit == 2.5)
        let none = try decode(delivery(headers: headers(["timelimit": .array([.int(0), .null])])))
        #expect(none.hardLimit == nil)
        #expect(none.softLimit == nil)
    }

    @Test(
        "a header of the wrong kind is refused by name",
        arguments: [
            ("task", .int(1)), ("id", .array([])), ("retries", .string("1")), ("retries", .int(-1)),
            ("retries", .int(.max)),
            ("timelimit", .int(3)), ("timelimit", .array([.int(-1)])), ("timelimit", .array([.double(.nan), .null])),
            ("timelimit", .array([.int(1), .int(1), .int(1)])), ("group_index", .double(1)),
            ("ignore_result", .string("yes")),
            ("stamped_headers", .string("x")), ("stamped_headers", .array([.int(1)])), ("stamps", .array([])),
            ("taskhost-starts", .int(-1)), ("taskhost-starts", .string("9")), ("replaced_task_nesting", .bool(true)),
            ("root_id", .bytes([0xFF])), ("taskhost-wire-error", .string("table nested too deep")),
        ] as [(String, FieldValue)])
    func malformedHeader(_ key: String, _ value: FieldValue) throws {
        let delivery = delivery(headers: headers([key: value]))
        let error = try #require(throws: WireError.self) { try MessageDecoder().decode(delivery, now: noon) }
        #expect(error.code == .malformedHeader)
        #expect(error.detail.contains(key) || key == "taskhost-wire-error")
    }

    @Test("bad times are told from bad headers", arguments: ["eta", "expires"])
    func badTimes(_ key: String) throws {
        #expect(code(delivery(headers: headers([key: .string("tomorrow")]))) == .badTime)
        #expect(code(delivery(headers: headers([key: .int(5)]))) == .badTime)
        #expect(code(delivery(headers: headers([key: .string("")]))) == nil)
        let message = try decode(delivery(headers: headers([key: .string("2026-11-23T12:00:00")])))
        #expect((key == "eta" ? message.eta : message.expires) == noon)
        #expect((key == "eta" ? message.etaText : message.expiresText) == "2026-11-23T12:00:00")
        let stamp = try decode(delivery(headers: headers([key: .timestamp(1_795_435_200)])))
        #expect((key == "eta" ? stamp.eta : stamp.expires) == noon)
    }

    @Test("a message that is no task is told from one that cannot be read")
    func notATask() {
        #expect(code(delivery(body: "[1]", headers: [:])) == .notATask)
        #expect(code(delivery(body: "{\"a\":1}", headers: [:])) == .notATask)
        #expect(code(delivery(body: "\"hello\"", headers: [:])) == .notATask)
        #expect(code(delivery(body: "{oops", headers: [:])) == .malformedBody)
        #expect(code(delivery(headers: ["task": .string("x")])) == .missingID)
        #expect(code(delivery(headers: ["task": .string("x"), "id": .string("")])) == .missingID)
        #expect(code(delivery(headers: ["task": .null, "id": .string("U1")])) == .notATask)
    }

    @Test(
        "only accepted content is read",
        arguments: [
            "application/x-yaml", "application/x-python-serialize", "application/data", "text/plain", "", "nonsense",
        ])
    func contentTypes(_ type: String) {
        #expect(code(delivery(contentType: type)) == .refusedContentType)
    }

    @Test("no content type, a content type we cannot read though accepted, and parameters")
    func contentTypeCases() throws {
        #expect(code(delivery(contentType: nil)) == .refusedContentType)
        let decoder = MessageDecoder(accept: ["json", "application/x-msgpack"])
        let packed = delivery(contentType: "application/x-msgpack", contentEncoding: "binary")
        let error = try #require(throws: WireError.self) { try decoder.decode(packed, now: noon) }
        #expect(error.code == .refusedContentType)
        #expect(error.detail.contains("send json"))
        #expect(code(delivery(contentType: "Application/JSON; charset=utf-8")) == nil)
        #expect(throws: WireError.self) { try MessageDecoder(accept: []).decode(delivery(), now: noon) }
    }

    @Test("encodings other than UTF-8 are refused, and so is a body that only claims it")
    func encodings() {
        #expect(code(delivery(contentEncoding: "utf-16")) == .badEncoding)
        #expect(code(delivery(contentEncoding: nil)) == nil)
        var broken = delivery()
        broken.message.body = Array("[[\"".utf8) + [0xC3, 0x28] + Array("\"],{},{}]".utf8)
        #expect(code(broken) == .badEncoding)
    }

    @Test("without the formats' libraries a compressed body is refused with the method's name")
    func compressed() throws {
        let squeezed = delivery(headers: headers(["compression": .string("application/x-gzip")]))
        let error = try #require(throws: WireError.self) { try MessageDecoder().decode(squeezed, now: noon) }
        #expect(error.code == .compressed)
        #expect(error.detail.contains("application/x-gzip"))
        #expect(code(delivery(headers: headers(["compression": .null]))) == nil)
        #expect(code(delivery(headers: headers(["compression": .string("application/x-rar")]))) == .compressed)
    }

    @Test("each bound holds to the value")
    func bounds() {
        let limits = WireLimits(
            maxBodyBytes: 1024, maxDepth: 4, maxNodes: 16, maxHeaderDepth: 2, maxHeaderFields: 32, maxHeaderBytes: 1024)
        func body(padding: Int) -> String { "[[\"\(String(repeating: "x", count: padding - 12))\"],{},{}]" }
        #expect(code(delivery(body: body(padding: 1024)), limits: limits) == nil)
        #expect(code(delivery(body: body(padding: 1025)), limits: limits) == .tooLarge)
        #expect(code(delivery(body: "[[[[1]]],{},{}]"), limits: limits) == nil)
        #expect(code(delivery(body: "[[[[[]]]],{},{}]"), limits: limits) == .tooDeep)
        let twelve = (0..<12).map(String.init).joined(separator: ",")
        #expect(code(delivery(body: "[[\(twelve)],{},{}]"), limits: limits) == nil)
        #expect(code(delivery(body: "[[\(twelve),12],{},{}]"), limits: limits) == .tooManyValues)
        #expect(code(delivery(headers: headers(["x": .table(["y": .int(1)])])), limits: limits) == nil)
        #expect(code(delivery(headers: headers(["x": .table(["y": .array([])])])), limits: limits) == .tooDeep)
        func many(_ count: Int) -> FieldTable { headers(["x": .array((0..<(count - 3)).map { .int(Int64($0)) })]) }
        #expect(code(delivery(headers: many(32)), limits: limits) == nil)
        #expect(code(delivery(headers: many(33)), limits: limits) == .tooManyValues)
        // "task" + "demo.add" + "id" + "U1" + "x" = 17 bytes.
        func long(_ count: Int) -> FieldTable { headers(["x": .string(String(repeating: "y", count: count - 17))]) }
        #expect(code(delivery(headers: long(1024)), limits: limits) == nil)
        #expect(code(delivery(headers: long(1025)), limits: limits) == .tooLarge)
    }

    @Test("limits out of range are moved into it")
    func limitRanges() {
        let huge = WireLimits(
            maxBodyBytes: .max, maxDepth: .max, maxNodes: .max, maxHeaderDepth: .max, maxHeaderFields: .max,
            maxHeaderBytes: .max)
        #expect(huge.maxBodyBytes == 60 << 20)
        #expect(huge.maxDepth == 512)
        let none = WireLimits(
            maxBodyBytes: -1, maxDepth: 0, maxNodes: 0, maxHeaderDepth: 0, maxHeaderFields: 0, maxHeaderBytes: 0)
        #expect(none.maxBodyBytes == 1024)
        #expect(none.maxNodes == 16)
    }

    @Test("a header wins over the same word in a map body; what it does not say comes from the body")
    func hybrid() throws {
        let body =
            #"{"task":"other","id":"U9","args":[1],"kwargs":{"k":2},"retries":3,"eta":"2026-11-23T12:00:00","callbacks":[{"task":"x"}]}"#
        let message = try decode(delivery(body: body, headers: ["task": .string("demo.add"), "id": .string("U1")]))
        #expect(message.name == "demo.add")
        #expect(message.id == "U1")
        #expect(message.retries == 3)
        #expect(message.eta == noon)
        #expect(message.protocolVersion == 2)
        #expect(message.hasContinuations)
        #expect(text(message.body[message.argsRange]) == "[1]")
        #expect(text(message.body[message.kwargsRange]) == #"{"k":2}"#)
    }

    @Test("protocol 1 says everything in its body")
    func protocol1() throws {
        let body =
            #"{"task":"demo.add","id":"U1","args":[1,"é"],"kwargs":{},"taskset":"G","group":"H","utc":false,"timelimit":[5,null],"chord":{"task":"x"}}"#
        let message = try decode(delivery(body: body, headers: [:]))
        #expect(message.protocolVersion == 1)
        #expect(message.groupID == "G")
        #expect(message.hardLimit == 5)
        #expect(message.argsRepr == "[1, 'é']")
        #expect(message.hasContinuations)
        #expect(try JSON(parsing: message.body)["x"] == nil)
        #expect(code(delivery(body: #"{"task":"demo.add"}"#, headers: [:])) == .missingID)
        #expect(code(delivery(body: #"{"task":"demo.add","id":"U1","eta":"x"}"#, headers: [:])) == .badTime)
    }

    @Test("log lines are Celery's, on one line, and name task and id")
    func logLines() throws {
        func line(_ delivery: Delivery) throws -> String {
            try #require(throws: WireError.self) { try MessageDecoder().decode(delivery, now: noon) }.logLine
        }
        #expect(
            try line(delivery(body: "[1]", headers: [:])).hasPrefix(
                "Received and deleted unknown message.  Wrong destination?!?"))
        #expect(
            try line(delivery(contentType: "application/x-yaml")).hasPrefix(
                "Received invalid task message: Refusing to deserialize untrusted content of type yaml ('application/x-yaml')"
            ))
        #expect(
            try line(delivery(body: "{oops", headers: headers(["id": .string("a\nb\u{202E}")])))
                == "Can't decode message body: the body is not JSON: unexpected character at byte 1 [type:'application/json' encoding:'utf-8' task:'demo.add' id:'a\\u{a}b\\u{202e}']"
        )
        #expect(
            try line(delivery(headers: headers(["eta": .string("x")]))).hasPrefix(
                "Received invalid task message: header 'eta'"))
    }
}
