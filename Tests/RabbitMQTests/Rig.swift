// What the tests against a real RabbitMQ have in common: a loop, a broker, and what it told.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import RabbitMQ

/// All tests that need the server, one after the other: some of them take it down or block it.
@Suite("RabbitMQ", .serialized)
struct RabbitMQServerTests {}

enum Lab {
    static func address(_ name: String = "TASKHOST_TEST_AMQP_URL") throws -> RabbitMQAddress {
        try RabbitMQAddress(parsing: try Variables.value(name))
    }

    /// Runs a command of the test servers to its end; what it wrote. No loop of the calling thread goes on meanwhile.
    @discardableResult
    static func run(_ variableName: String, _ arguments: [String]) throws -> String {
        let (output, status) = try Program.run(try Variables.value(variableName), arguments)
        #expect(status == 0, "\(arguments): \(output)")
        return output
    }

    @discardableResult
    static func ctl(_ arguments: String...) throws -> String {
        try run("TASKHOST_TEST_RABBITMQCTL", ["--quiet"] + arguments)
    }

    /// The server's own word, for what differs between versions.
    static func version() throws -> RabbitMQVersion {
        try LinkSetup.visit(try address(), duty: "test", RabbitMQOptions()) { connection throws(BrokerFailure) in
            connection.version
        }
    }

    /// A queue name no other test uses.
    static func queue(_ stem: String) -> String { "\(stem).\(UUIDText.random().prefix(8))" }
}

/// A broker on a loop of its own, driven by the test's thread.
final class Rig: BrokerEvents {
    let loop: EpollLoop
    let broker: RabbitMQBroker
    var told: [String] = []
    var deliveries: [Delivery] = []
    /// Short bodies delivered so far.
    var seen: Set<String> = []
    var ups = 0
    var blockedReasons: [String?] = []
    var cancelled: [String] = []
    var failures: [BrokerFailure] = []
    var acksAtOnce = false

    init(_ addresses: [RabbitMQAddress]? = nil, options: RabbitMQOptions = RabbitMQOptions()) throws {
        loop = try EpollLoop()
        let keep = Lines()
        broker = RabbitMQBroker(
            addresses: try addresses ?? [Lab.address()], loop: loop, options: options,
            log: { keep.lines.append("log \($0) \($1)") })
        lines = keep
        broker.connect(events: self)
    }

    private final class Lines { var lines: [String] = [] }
    private let lines: Lines
    var log: [String] { lines.lines }

    func linkUp() {
        ups += 1
        told.append("up")
    }
    func linkDown(reason: String, retryInSeconds: Double) { told.append("down: \(reason)") }
    func delivered(_ delivery: Delivery) {
        deliveries.append(delivery)
        if delivery.message.body.count < 100 { seen.insert(String(decoding: delivery.message.body, as: UTF8.self)) }
        if acksAtOnce { broker.acknowledge(delivery.tag) }
    }
    func blocked(_ reason: String?) { blockedReasons.append(reason) }
    func consumerCancelled(queue: String) { cancelled.append(queue) }
    func fatal(_ failure: BrokerFailure) {
        failures.append(failure)
        told.append("fatal: \(failure)")
    }

    /// The time ends what would never come; how fast it comes is not what it judges.
    func wait(_ what: String, seconds: Double = 60, until condition: () -> Bool) throws {
        loop.post {}  // What was asked for outside a turn goes out at the end of one.
        if !loop.run(until: condition, timeoutSeconds: seconds) { throw TooLate(what: what, context: told + log) }
    }

    /// Publishes and waits for the decisions, in the order of the messages.
    @discardableResult
    func publish(
        _ bodies: [String], to queue: QueueDeclaration, delay: Double = 0, priority: UInt8? = nil
    ) throws -> [BrokerFailure?] {
        try publish(
            bodies.map { body in
                var message = WireMessage(headers: ["id": .string(String(body.prefix(40)))], body: Array(body.utf8))
                message.properties.priority = priority
                message.properties.deliveryMode = 2
                message.properties.correlationID = String(body.prefix(40))
                return Publication(destination: .queue(queue), message: message, delaySeconds: delay)
            })
    }

    @discardableResult
    func publish(_ publications: [Publication]) throws -> [BrokerFailure?] {
        var results: [Int: BrokerFailure?] = [:]
        for (index, publication) in publications.enumerated() {
            broker.publish(publication) { results[index] = .some($0) }
        }
        try wait("\(publications.count) confirms") { results.count == publications.count }
        return publications.indices.map { results[$0] ?? nil }
    }

    func bodies() -> [String] { deliveries.map { String(decoding: $0.message.body, as: UTF8.self) } }

    /// Set on the loop.
    final class Command {
        var result: Result<String, any Error>?
    }

    /// Runs a command of the test servers beside the loop.
    func start(_ variableName: String, _ arguments: String...) -> Command {
        let command = Command()
        let done = OnLoop<(Result<String, any Error>) -> Void>({ command.result = $0 })
        let post = LoopPost(loop)
        #expect(
            OwnThread.run {
                let result = Result { try Lab.run(variableName, arguments) }
                post { done.value(result) }
            })
        return command
    }

    /// What it wrote. On a busy machine a command takes longer than a heartbeat may.
    @discardableResult
    func end(_ command: Command) throws -> String {
        try wait("a command of the test servers", seconds: 240) { command.result != nil }
        return try command.result?.get() ?? ""
    }

    /// Asks the server itself.
    func depth(_ queue: String) throws -> (ready: Int, unacknowledged: Int) {
        let text = try end(
            start(
                "TASKHOST_TEST_RABBITMQCTL", "--quiet", "list_queues", "name", "messages_ready",
                "messages_unacknowledged"))
        for line in text.split(separator: "\n") {
            let columns = line.split(separator: "\t")
            if columns.count == 3, columns[0] == queue, let ready = Int(columns[1]), let held = Int(columns[2]) {
                return (ready, held)
            }
        }
        return (-1, -1)
    }

    /// The broker takes our connection for dead: what is held goes back as it does from a host that was killed.
    func die() throws {
        let before = ups
        broker.recreateConsumers(because: "the test")
        try wait("the link again") { ups > before }
    }

    func close() throws {
        var isClosed = false
        broker.close { isClosed = true }
        try wait("close") { isClosed }
    }
}
