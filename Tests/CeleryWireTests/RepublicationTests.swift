// Messages sent again: what changes and what must not.
import CeleryWire
import TaskModel
import TaskhostJSON
import Testing

@Suite("Sending messages again")
struct RepublicationTests {
    private func full() throws -> Delivery {
        let cases = try GoldenTests.cases("messages")
        var wire = try GoldenTests.wire(try #require(cases[1]["message"]))
        wire.headers["x-death"] = .array([.table(["count": .int(1)])])
        wire.headers["x-first-death-queue"] = .string("q")
        wire.headers["x-last-death-reason"] = .string("expired")
        wire.headers["x-delivery-count"] = .int(2)
        wire.headers["CC"] = .array([.string("elsewhere")])
        wire.properties.userID = "guest"
        return delivery(wire)
    }

    private func decode(_ delivery: Delivery) throws -> TaskMessage { try MessageDecoder().decode(delivery, now: noon) }

    @Test("a retry is the same message with another count, eta and expiration")
    func retry() throws {
        var delivery = try full()
        delivery.message.headers["taskhost-starts"] = .int(2)
        let message = try decode(delivery)
        let eta = noon.advanced(bySeconds: 1.5)
        let again = Republication.retry(delivery, message, eta: eta, retries: 3, now: noon)
        #expect(again.headers["retries"] == .int(3))
        #expect(again.headers["eta"] == .string("2026-11-23T12:00:01.500000+00:00"))
        #expect(again.headers["taskhost-starts"] == nil)
        #expect(again.body == delivery.message.body)
        // In the year 2099: more milliseconds than RabbitMQ takes, so only the header says it.
        #expect(again.properties.expiration == nil)
        #expect(again.properties.userID == nil)
        let changed: Set = ["retries", "eta", "taskhost-starts", "CC"]
        for field in delivery.message.headers.fields where !changed.contains(field.key) && !field.key.hasPrefix("x-") {
            #expect(again.headers[field.key] == field.value, "\(field.key)")
        }
        #expect(again.headers["x-user"] == delivery.message.headers["x-user"])
        for gone in ["x-death", "x-delivery-count", "x-first-death-queue", "x-last-death-reason", "CC"] {
            #expect(again.headers[gone] == nil, "\(gone)")
        }
        var expected = delivery.message.properties
        expected.expiration = nil
        expected.userID = nil
        #expect(again.properties == expected)
    }

    @Test("a retry expires with its message, as long as the broker can take so many milliseconds")
    func retryExpires() throws {
        // 2^32 milliseconds are 49 days, 17 hours, 2 minutes and 47.296 seconds.
        let cases: [(String, String?)] = [
            ("2026-11-23T12:01:00", "60000"), ("2027-01-12T05:02:47", "4294967000"), ("2027-01-12T05:02:48", nil),
        ]
        for (expires, expiration) in cases {
            let delivery = delivery(headers: [
                "task": .string("demo.add"), "id": .string("U1"), "expires": .string(expires),
            ])
            let again = Republication.retry(delivery, try decode(delivery), eta: noon, retries: 1, now: noon)
            #expect(again.properties.expiration == expiration, "\(expires)")
            #expect(again.headers["expires"] == .string(expires))
        }
    }

    @Test("a retry of a task without a parent has itself as parent and root")
    func retryParent() throws {
        let delivery = delivery()
        let again = Republication.retry(delivery, try decode(delivery), eta: noon, retries: 1, now: noon)
        #expect(again.headers["parent_id"] == .string("U1"))
        #expect(again.headers["root_id"] == .string("U1"))
    }

    @Test("a retry that is already too late expires at once")
    func retryExpired() throws {
        let delivery = delivery(headers: [
            "task": .string("demo.add"), "id": .string("U1"), "expires": .string("2026-11-23T11:00:00"),
        ])
        let again = Republication.retry(delivery, try decode(delivery), eta: noon, retries: 1, now: noon)
        #expect(again.properties.expiration == "0")
        #expect(again.headers["expires"] == .string("2026-11-23T11:00:00"))
    }

    @Test(
        "a retry of a protocol 1 message is a protocol 2 message that means the same",
        arguments: ["protocol 1", "protocol 1 with options"])
    func retryOfProtocol1(_ name: String) throws {
        let golden = try #require(try GoldenTests.cases("messages").first { $0["name"]?.text == name })
        let old = delivery(try GoldenTests.wire(try #require(golden["message"])))
        let before = try decode(old)
        let again = Republication.retry(old, before, eta: noon, retries: before.retries + 1, now: noon)
        let after = try decode(delivery(again))
        #expect(after.protocolVersion == 2)
        #expect(after.name == before.name)
        #expect(after.id == before.id)
        #expect(after.groupID == before.groupID)
        #expect(after.hardLimit == before.hardLimit)
        #expect(after.retries == before.retries + 1)
        #expect(after.eta == noon)
        #expect(after.body == before.body)
        #expect(after.argsRepr == before.argsRepr)
    }

    @Test("a restart changes the count of starts and nothing else")
    func restart() throws {
        let delivery = try full()
        let message = try decode(delivery)
        let again = Republication.restart(delivery, message, starts: 2)
        #expect(try decode(self.again(again)).priorStarts == 2)
        var headers = again.headers
        headers["taskhost-starts"] = nil
        #expect(headers == Republication.restart(delivery, message, starts: 0).headers)
        #expect(again.body == delivery.message.body)
        #expect(again.properties.expiration == delivery.message.properties.expiration)
    }

    private func again(_ message: WireMessage) -> Delivery { delivery(message) }

    @Test("a postponed message keeps what its retries need, and cannot expire on the way")
    func postpone() throws {
        let delivery = try full()
        let again = Republication.postpone(delivery)
        #expect(again.properties.expiration == nil)
        #expect(again.headers["expires"] == delivery.message.headers["expires"])
        #expect(again.headers["eta"] == delivery.message.headers["eta"])
        #expect(again.body == delivery.message.body)
    }
}

@Suite("Dead letters")
struct DeadLetterTests {
    private func bury(
        _ report: RunReport?,
        headers: FieldTable = ["task": .string("demo.add"), "id": .string("U1"), "argsrepr": .string("(2, 3)")]
    ) throws -> WireMessage {
        var delivery = delivery(headers: headers)
        delivery.message.properties.expiration = "5000"
        return Republication.deadLetter(
            delivery, nil, reason: "3 of 3 starts ended in a crash", kind: .poison, report: report, starts: 3,
            at: noon)
    }

    @Test("a dead letter tells where it came from and why it died")
    func report() throws {
        let death = Death(cause: .signal(11), coreDumped: false, address: 0xDEAD, stack: ["crash_here", "main"])
        let dead = try bury(RunReport(outcome: .died(death), output: Array("last words\n".utf8)))
        let report = try #require(Republication.deadReport(of: dead))
        #expect(report.reason == "3 of 3 starts ended in a crash")
        #expect(report.verdict == "poison")
        #expect(report.starts == 3)
        #expect(report.queue == "celery")
        #expect(report.routingKey == "celery")
        #expect(report.at == noon)
        #expect(report.taskName == "demo.add")
        #expect(report.taskID == "U1")
        #expect(report.argsRepr == "(2, 3)")
        #expect(report.crashCause == "signal 11 (SIGSEGV)")
        #expect(report.crashAddress == "0xdead")
        #expect(report.stack == ["crash_here", "main"])
        #expect(report.output == "last words\n")
        #expect(dead.body == delivery().message.body)
        #expect(dead.properties.expiration == nil)
    }

    @Test("what died without a crash has no crash to tell")
    func noCrash() throws {
        let report = try #require(Republication.deadReport(of: try bury(nil)))
        #expect(report.crashCause == nil)
        #expect(report.stack.isEmpty)
        #expect(Republication.deadReport(of: delivery().message) == nil)
    }

    @Test("a dead letter that is sent again is as it was, with no starts made")
    func resurrect() throws {
        var original = delivery()
        original.message.headers["taskhost-starts"] = .int(2)
        let dead = Republication.deadLetter(
            original, nil, reason: "x", kind: .poison, report: nil, starts: 3, at: noon)
        #expect(dead.queueBeforeDeath == "celery")
        #expect(dead.revived == delivery().message)
        #expect(try MessageDecoder().decode(delivery(dead.revived), now: noon).priorStarts == 0)
    }

    @Test("the headers of a dead letter fit into one frame, whatever was sent and written")
    func size() throws {
        let death = Death(cause: .exit(1), stack: Array(repeating: String(repeating: "f", count: 5000), count: 500))
        let output = [UInt8](repeating: 0xFF, count: 64 << 10)
        let sizes: [FieldTable] = [
            ["task": .string("t"), "id": .string("i"), "x": .string(String(repeating: "x", count: 64 << 10))],
            [
                "task": .string("t"), "id": .string("i"),
                "x": .array(Array(repeating: .string(String(repeating: "x", count: 100)), count: 1200)),
            ],
            FieldTable(
                (0..<2000).map { FieldTable.Field(key: "key\($0)", value: .string(String(repeating: "y", count: 60))) }
                    + [FieldTable.Field(key: "id", value: .string("i"))]),
        ]
        for headers in sizes {
            let dead = try bury(RunReport(outcome: .died(death), output: output), headers: headers)
            #expect(HeadersJSON.bytes(dead.headers).count < 300_000)
            #expect(encodedSize(.table(dead.headers)) < 128 << 10)
            #expect(dead.headers["id"] == .string("i"))
            #expect(Republication.deadReport(of: dead)?.queue == "celery")
        }
    }

    private func encodedSize(_ value: FieldValue) -> Int {
        switch value {
        case .string(let text): 5 + text.utf8.count
        case .array(let elements): elements.reduce(5) { $0 + encodedSize($1) }
        case .table(let table): table.fields.reduce(5) { $0 + 1 + $1.key.utf8.count + encodedSize($1.value) }
        default: 9
        }
    }
}
