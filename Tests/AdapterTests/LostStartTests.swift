// What brokers say of starts that ended with their host, and of messages that others have taken over.
import Foundation
import Loop
import Ports
import Redis
import TaskModel
import TestKit
import Testing

@testable import PostgreSQL
@testable import SQLite

/// A host that goes silent without a word, and one that comes after it.
private struct Hosts {
    let lost: BrokerClient
    let heir: BrokerClient
}

@Suite("Starts that ended with their host", .serialized)
struct LostStartTests {
    enum Kind: String, CaseIterable, CustomTestStringConvertible {
        case redis, sqlite, postgresql
        var testDescription: String { rawValue }
    }

    private let server: PrivateRedis
    private let database: PostgreSQLDatabase
    private let folder: TemporaryFolder
    private let loop: EpollLoop
    private let queue = QueueDeclaration(name: "work")

    init() throws {
        server = try PrivateRedis()
        database = try PostgreSQLDatabase()
        folder = try TemporaryFolder()
        loop = try EpollLoop()
        try server.start()
    }

    private func client(_ kind: Kind, on loop: EpollLoop) throws -> BrokerClient {
        let broker: any Broker
        switch kind {
        case .redis:
            var options = RedisBrokerOptions()
            options.leaseSeconds = 1
            broker = RedisBroker(
                address: try RedisAddress(url: "unix://\(server.socket)?db=0"), loop: loop, options: options)
        case .sqlite:
            let file = SQLiteFile(address: SQLiteAddress(path: folder.path + "/broker.db"), loop: loop)
            broker = SQLiteBroker(
                file: file, times: LeaseTimes(lease: 2, renewal: 0.25, allowance: 0.5), identity: .current)
        case .postgresql:
            broker = PostgreSQLBroker(
                line: try database.line(on: loop), times: HostTimes(lease: 2, renewal: 0.25, poll: 0.5))
        }
        let client = BrokerClient(broker, loop)
        broker.connect(events: client)
        try client.wait("the link") { client.isUp }
        return client
    }

    /// The first is on a loop that nobody turns any more.
    private func hosts(_ kind: Kind) throws -> Hosts {
        let still = try EpollLoop()
        return Hosts(lost: try client(kind, on: still), heir: try client(kind, on: loop))
    }

    private func record(_ tags: [DeliveryTag], _ client: BrokerClient) throws {
        var isRecorded = false
        client.broker.recordStarts(tags) { failure in isRecorded = failure == nil }
        try client.wait("the record") { isRecorded }
    }

    @Test(
        "what had started is charged, what was only held is not, and a second time counts twice",
        arguments: Kind.allCases)
    func charged(kind: Kind) throws {
        let first = try hosts(kind)
        try first.lost.publish(["started", "held"], to: queue)
        first.lost.consume(queue, credit: 2)
        let taken = try first.lost.receive(2)
        #expect(taken.map(\.lostStarts) == [0, 0])
        try record([taken[0].tag], first.lost)

        first.heir.consume(queue, credit: 2)
        let again = try first.heir.receive(2, seconds: 20).sorted { $0.text > $1.text }
        #expect(again.map(\.text) == ["started", "held"])
        #expect(again.map(\.lostStarts) == [1, 0])
        #expect(again.allSatisfy { $0.message.headers.fields.isEmpty })
        // Given back by a living host: no start was lost.
        try record([again[0].tag], first.heir)
        first.heir.broker.reject(again[0].tag, requeue: true)
        let back = try first.heir.receive(3)[2]
        #expect(back.lostStarts == 1)
        try record([back.tag], first.heir)
        withExtendedLifetime(first.lost) {}

        // The heir stands still, too.
        let last = try client(kind, on: try EpollLoop())
        last.consume(queue, credit: 2)
        let third = try last.receive(2, seconds: 20)
        #expect(third.first { $0.text == "started" }?.lostStarts == 2)
        #expect(third.first { $0.text == "held" }?.lostStarts == 0)
        try last.close()
    }

    @Test("who comes too late sends nothing on behalf of what others have", arguments: Kind.allCases)
    func fenced(kind: Kind) throws {
        let pair = try hosts(kind)
        let other = QueueDeclaration(name: "callbacks")
        try pair.lost.publish(["work"], to: queue)
        pair.lost.consume(queue, credit: 1)
        let tag = try pair.lost.receive(1)[0].tag
        func callback(_ text: String) -> Publication {
            var publication = Publication(destination: .queue(other), message: .text(text))
            publication.claim = tag
            return publication
        }
        #expect(try isOurs(tag, pair.lost))
        try pair.lost.publish([callback("in time")])

        pair.heir.consume(queue, credit: 1)
        let taken = try pair.heir.receive(1, seconds: 20)[0]
        // Asked before it has been told: the answer has to come from the broker.
        var failure: BrokerFailure?
        var isDecided = false
        pair.lost.broker.publish(callback("late")) {
            failure = $0
            isDecided = true
        }
        var claim: Bool?
        pair.lost.broker.confirmClaim(tag) { claim = $0 }
        try pair.lost.wait("both answers") { isDecided && claim != nil }
        #expect(failure?.code == .claimLost)
        #expect(claim == false)
        pair.heir.broker.acknowledge(taken.tag)
        pair.heir.consume(other, credit: 5)
        #expect(try pair.heir.receive(2)[1].text == "in time")
        try pair.heir.settle()
        #expect(pair.heir.deliveries.count == 2)
        try pair.heir.close()
    }

    private func isOurs(_ tag: DeliveryTag, _ client: BrokerClient) throws -> Bool {
        var answer: Bool?
        client.broker.confirmClaim(tag) { answer = $0 }
        try client.wait("the answer") { answer != nil }
        return answer ?? false
    }

    @Test(
        "what a dead host held comes back though somebody removed the index, the hosts, or both",
        arguments: [["unacked_index"], ["taskhost-hosts"], ["unacked_index", "taskhost-hosts"]])
    func keysLost(keys: [String]) throws {
        let pair = try hosts(.redis)
        try pair.lost.publish(["a", "b"], to: queue)
        pair.lost.consume(queue, credit: 2)
        let taken = try pair.lost.receive(2)
        try record([taken[0].tag], pair.lost)
        for key in keys { try server.command("DEL", key) }
        pair.heir.consume(queue, credit: 2)
        let found = try pair.heir.receive(2, seconds: 20)
        #expect(Set(found.map(\.text)) == ["a", "b"])
        #expect(found.first { $0.text == "a" }?.lostStarts == 1)
        try pair.heir.settle()
        #expect(try server.answer("HLEN", "unacked") == "2")
        withExtendedLifetime(pair.lost) {}
        try pair.heir.close()
    }
}

@Suite("Counters of starts in stores", .serialized)
struct StartLedgerTests {
    @Test("a counter grows, goes back and is forgotten", arguments: StoreKind.allCases)
    func counts(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        guard let ledger = client.store as? any StartLedger else { return }
        let name = "id-\(UUID().uuidString)"
        func lost() throws -> Int? {
            var answer: Int?
            ledger.lostStarts(name) { if case .success(let count) = $0 { answer = count } }
            try client.wait("an answer") { answer != nil }
            return answer
        }
        func record() throws {
            var isDone = false
            ledger.recordStart(name, keepSeconds: 60) { isDone = $0 == nil }
            try client.wait("the record") { isDone }
        }
        #expect(try lost() == 0)
        try record()
        try record()
        #expect(try lost() == 2)
        ledger.takeBackStart(name)
        #expect(try lost() == 1)
        ledger.forgetStarts(name)
        #expect(try lost() == 0)
        ledger.takeBackStart(name)
        #expect(try lost() == 0)
    }
}
