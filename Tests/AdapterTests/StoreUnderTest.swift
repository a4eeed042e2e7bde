// One result store to put the sentences to, and any number of clients of it.
import Foundation
import Loop
import Ports
import TaskModel
import TaskhostJSON
import TestKit
import Testing
import Transports

/// Every result store there is, and every broker that carries results.
enum StoreKind: Sendable, CustomTestStringConvertible {
    case keeping(any ResultTransport.Type)
    case carrying(any DirectResultTransport.Type)

    static let allCases = lasting + Transports.direct.map { .carrying($0) }
    /// Those that remember: what is carried is a message to whoever asked, and kept nowhere.
    static let lasting: [StoreKind] = Transports.stores.map { .keeping($0) }

    /// Those that count the parts of chords. (One that cannot be opened is left in, to fail there.)
    static let counting = lasting.filter { kind in
        guard let client = try? StoreUnderTest(kind).freshClient() else { return true }
        return client.store is any ChordStore
    }

    /// Of these, those that keep each part, and do not need the group to be known before its first one.
    static let gathering = counting.filter { kind in
        guard let client = try? StoreUnderTest(kind).freshClient() else { return true }
        return (client.store as? any ChordStore)?.savesEveryGroup == false
    }

    var isLasting: Bool { if case .keeping = self { true } else { false } }

    var testDescription: String {
        switch self {
        case .keeping(let system): system.name
        case .carrying(let system): system.directScheme
        }
    }
}

/// A place that outlives its clients: a file or a server.
final class StoreUnderTest {
    let loop: EpollLoop
    private let kind: StoreKind
    private let folder: TemporaryFolder
    private let suffix = UUID().uuidString.lowercased()

    init(_ kind: StoreKind) throws {
        self.kind = kind
        loop = try EpollLoop()
        folder = try TemporaryFolder()
    }

    func id(_ name: String = "task") -> String { "\(name)-\(suffix)" }

    /// Another process, as far as the store can tell: a link of its own. Not yet connected.
    func freshClient() throws -> StoreClient {
        switch kind {
        case .keeping(let system):
            let transport = try Servers.open(system, named: "results", in: folder, on: loop)
            return StoreClient(transport.results(ResultOptions()), nil, loop)
        case .carrying(let system):
            let transport = try Servers.open(system, named: "results", in: folder, on: loop)
            let store = transport.directResults(ResultOptions())
            return StoreClient(store, BrokerClient(transport.broker(), loop), loop)
        }
    }

    func client() throws -> StoreClient {
        let client = try freshClient()
        client.connect()
        try client.wait("the store") { client.isUp }
        return client
    }
}

/// A store with everything it said, and waits for what it is to say.
final class StoreClient: ResultStoreEvents {
    let store: any ResultStore
    let loop: EpollLoop
    private let carrier: BrokerClient?
    private(set) var isUp = false
    private(set) var reasons: [String] = []

    init(_ store: any ResultStore, _ carrier: BrokerClient?, _ loop: EpollLoop) {
        self.store = store
        self.carrier = carrier
        self.loop = loop
    }

    func storeUp() { isUp = true }
    func storeDown(reason: String, retryInSeconds: Double) {
        isUp = false
        reasons.append(reason)
    }

    func connect() {
        if let carrier { carrier.broker.connect(events: carrier) }
        store.connect(events: self)
    }

    func wait(_ what: String, seconds: Double = 15, until condition: () -> Bool) throws {
        guard loop.run(until: condition, timeoutSeconds: seconds) else { throw TooLate(what: what) }
    }

    func put(
        _ id: String, _ state: TaskState, _ text: String, replyTo: String? = nil, expiresAfterSeconds: Double? = 60
    ) throws {
        try put([record(id, state, text, replyTo: replyTo, expiresAfterSeconds: expiresAfterSeconds)])
    }

    func put(_ records: [ResultRecord]) throws {
        var stored = 0
        var failure: StoreFailure?
        for record in records {
            store.store(record) {
                stored += 1
                failure = failure ?? $0
            }
        }
        try wait("the store's word") { stored == records.count }
        if let failure { throw failure }
    }

    func record(
        _ id: String, _ state: TaskState, _ text: String, replyTo: String? = nil, expiresAfterSeconds: Double? = 60
    ) -> ResultRecord {
        ResultRecord(
            taskID: id, state: state, meta: meta(state, text), replyTo: replyTo, correlationID: id,
            expiresAfterSeconds: expiresAfterSeconds)
    }

    /// Sends what would be the task, from the follower's side: over `rpc://` that is when its reply queue must exist.
    func send(_ id: String) throws {
        try carrier?.publish([id], to: QueueDeclaration(name: "tasks-of-\(store.replyTo ?? id)"))
    }

    func get(_ id: String) throws -> [UInt8]? {
        var answer: Result<[UInt8]?, StoreFailure>?
        store.fetch(id) { answer = $0 }
        try wait("the document") { answer != nil }
        return try answer?.get().map(plain) ?? nil
    }

    func forget(_ id: String) throws {
        var isDone = false
        var failure: StoreFailure?
        store.forget(id) {
            isDone = true
            failure = $0
        }
        try wait("the store to forget") { isDone }
        if let failure { throw failure }
    }

    func close() throws {
        var isClosed = false
        store.close { isClosed = true }
        try wait("the close") { isClosed }
        try carrier?.close()
    }
}

/// What was stored, out of a document that has been put together from the columns of a table: they know the task id, and
/// no other date than their own. Any other document is left as it is, byte for byte.
func plain(_ document: [UInt8]) -> [UInt8] {
    guard let members = try? JSONScan.topLevelObject(document, limits: .trusted) else { return document }
    var values: [String: String] = [:]
    for member in members {
        values[String(decoding: document[member.key], as: UTF8.self)] =
            String(decoding: document[member.value], as: UTF8.self)
    }
    guard values["task_id"] != nil else { return document }
    let kept = ["status", "result", "traceback", "children"].map { "\"\($0)\": \(values[$0] ?? "?")" }
    return [UInt8]("{\(kept.joined(separator: ", ")), \"date_done\": null}".utf8)
}

/// A document as Celery's clients know it (celery-protocol.md §4.1).
func meta(_ state: TaskState, _ text: String) -> [UInt8] {
    [UInt8](
        #"{"status": "\#(state)", "result": "\#(text)", "traceback": null, "children": [], "date_done": null}"#.utf8)
}
