// One broker to put the sentences to: a place with queues of its own, and any number of clients of it.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing
import Transports

/// Every broker there is.
struct BrokerKind: Sendable, CustomTestStringConvertible {
    let system: any BrokerTransport.Type

    static let allCases = Transports.brokers.map { BrokerKind(system: $0) }
    var testDescription: String { system.name }

    /// What is served first and last: some count from the other end, as kombu does.
    var priorities: (first: UInt8, last: UInt8) { system.lowestPriorityFirst ? (0, 9) : (9, 0) }
}

/// A place that outlives its clients: a file, or a server with queue names of our own.
final class BrokerUnderTest {
    let loop: EpollLoop
    private let kind: BrokerKind
    private let folder: TemporaryFolder
    private let suffix = UUID().uuidString.prefix(8).lowercased()

    init(_ kind: BrokerKind) throws {
        self.kind = kind
        loop = try EpollLoop()
        folder = try TemporaryFolder()
    }

    func queue(_ name: String = "work", maxPriority: Int? = nil) -> QueueDeclaration {
        QueueDeclaration(name: "\(name)-\(suffix)", maxPriority: maxPriority)
    }

    /// Another process, as far as the broker can tell: a link of its own.
    func client() throws -> BrokerClient {
        let broker = try Servers.open(kind.system, named: "broker", in: folder, on: loop).broker()
        let client = BrokerClient(broker, loop)
        broker.connect(events: client)
        try client.wait("the link") { client.isUp }
        return client
    }
}

/// A broker with everything it said, and waits for what it is to say.
final class BrokerClient: BrokerEvents {
    let broker: any Broker
    let loop: EpollLoop
    var deliveries: [Delivery] = []
    private(set) var isUp = false
    /// How often the link was lost, or could not be made.
    var losses: Int { lossReasons.count }
    private(set) var lossReasons: [String] = []
    private(set) var failures: [BrokerFailure] = []
    private(set) var blockedReasons: [String?] = []
    /// Called for each delivery; by default it is only kept.
    var onDelivery: ((Delivery) -> Void)?

    init(_ broker: any Broker, _ loop: EpollLoop) {
        self.broker = broker
        self.loop = loop
    }

    func linkUp() { isUp = true }
    func linkDown(reason: String, retryInSeconds: Double) {
        isUp = false
        lossReasons.append(reason)
    }
    func delivered(_ delivery: Delivery) {
        deliveries.append(delivery)
        onDelivery?(delivery)
    }
    func blocked(_ reason: String?) { blockedReasons.append(reason) }
    func consumerCancelled(queue: String) {}
    func fatal(_ failure: BrokerFailure) { failures.append(failure) }

    func wait(_ what: String, seconds: Double = 15, until condition: () -> Bool) throws {
        guard loop.run(until: condition, timeoutSeconds: seconds) else { throw TooLate(what: what) }
    }

    func consume(_ queues: QueueDeclaration..., credit: Int) {
        broker.consume(queues)
        for queue in queues { broker.setCredit(credit, queue: queue.name) }
    }

    /// Waits until so many have come in all, and gives them.
    @discardableResult
    func receive(_ count: Int, seconds: Double = 15) throws -> [Delivery] {
        try wait("\(count) deliveries (\(deliveries.count) came)", seconds: seconds) { deliveries.count >= count }
        return deliveries
    }

    func publish(_ publications: [Publication]) throws {
        var confirmed = 0
        var failure: BrokerFailure?
        for publication in publications {
            broker.publish(publication) {
                confirmed += 1
                failure = failure ?? $0
            }
        }
        try wait("confirms") { confirmed == publications.count }
        if let failure { throw failure }
    }

    func publish(_ bodies: [String], to queue: QueueDeclaration, priority: UInt8? = nil) throws {
        try publish(bodies.map { Publication(destination: .queue(queue), message: .text($0, priority: priority)) })
    }

    /// Asks something that the broker answers only after all we asked before.
    func settle() throws {
        var isAnswered = false
        broker.deadLetters(of: "nobody-\(UUID().uuidString)", limit: 1) { _ in isAnswered = true }
        try wait("an answer") { isAnswered }
    }

    func close() throws {
        var isClosed = false
        broker.close { isClosed = true }
        try wait("the close") { isClosed }
    }
}

extension WireMessage {
    static func text(_ text: String, id: String? = nil, priority: UInt8? = nil) -> WireMessage {
        var properties = MessageProperties()
        properties.priority = priority
        properties.deliveryMode = 2
        properties.contentType = "text/plain"
        return WireMessage(
            properties: properties, headers: id.map { ["id": .string($0)] } ?? [:], body: [UInt8](text.utf8))
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}

extension Delivery {
    var text: String { message.text }
}
