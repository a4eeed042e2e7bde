// What is remembered of messages on the delay ladder, and where they enter it: rules without a server.
import Ports
import TaskModel
import Testing

@testable import RabbitMQ

@Suite("Postponed messages")
struct PostponedTests {
    private var message: WireMessage {
        var message = WireMessage(
            headers: [
                "id": .string("one"), "root_id": .string("root"), "none": .null, "yes": .bool(true), "no": .bool(false),
                "int": .int(-7), "big": .int(.max), "double": .double(-0.5), "raw": .bytes([0, 255]),
                "when": .timestamp(1_700_000_000), "list": .array([.int(1), .string(""), .array([])]),
                "table": .table(["inner": .string("ünï")]),
            ], body: Array(repeating: 200, count: 300))
        message.properties.contentType = "application/json"
        message.properties.correlationID = "one"
        message.properties.replyTo = ""
        message.properties.priority = 0
        message.properties.deliveryMode = 2
        message.properties.timestamp = 5
        message.properties.appID = "app"
        return message
    }

    @Test("a packed message is the same when it is taken out")
    func packed() {
        #expect(PackedMessage(message).message == message)
        #expect(PackedMessage(WireMessage(body: [])).message == WireMessage(body: []))
        var all = MessageProperties()
        (all.contentType, all.contentEncoding, all.correlationID, all.replyTo) = ("a", "b", "c", "d")
        (all.expiration, all.messageID, all.type, all.userID, all.appID) = ("e", "f", "g", "h", "i")
        (all.priority, all.deliveryMode, all.timestamp) = (255, 1, .max)
        #expect(PackedMessage(WireMessage(properties: all, body: [1])).message.properties == all)
    }

    @Test("the soonest are told in full, all are counted, and those that came down are forgotten")
    func told() {
        var postponed = PostponedMessages()
        let now = WallTime(microseconds: 1_000_000_000_000)
        for number in 0..<5 {
            var one = message
            one.headers["id"] = .string("\(number)")
            postponed.add(
                Publication(
                    destination: .queue(QueueDeclaration(name: number == 4 ? "other" : "q")), message: one,
                    delaySeconds: Double(100 - number * 10)), at: now)
        }
        let question = ScheduledQuestion(asker: .host, queues: ["q"], limit: 2)
        let all = postponed.answer(question, at: now)
        #expect(all.counts == ["q": 4])
        #expect(all.next.map { $0.delivery.message.headers["id"]?.text } == ["3", "2"])
        #expect(all.next.first?.due == now.advanced(bySeconds: 70))
        #expect(all.next.first?.delivery.message.body == message.body)
        #expect(postponed.answer(question, at: now.advanced(bySeconds: 85)).counts == ["q": 2])
        let byRoot = ScheduledQuestion(asker: .host, queues: ["q"], ids: ["root"])
        #expect(postponed.answer(byRoot, at: now).counts == ["q": 2])
        #expect(postponed.answer(question, at: now.advanced(bySeconds: 100)).counts.isEmpty)
    }

    @Test(
        "a delay enters the ladder at its highest digit",
        arguments: [(1, 0), (2, 1), (3, 1), (3600, 11), ((1 << 28) - 1, 27)])
    func entry(_ seconds: Int, _ level: Int) {
        #expect(DelayLadder.entry(seconds: seconds) == DelayLadder.level(level))
    }
}
