// What is to be done in MongoDB, as operations of the thread that speaks to it; kept up: opened again after a loss.
import Ports
import SQLRows
import TaskModel

/// Belongs to the loop's thread.
final class MongoDBLink: ResultLink {
    private let address: MongoDBAddress
    private let loop: any EventLoop
    private let thread: MongoDBThread
    private let tell: (LinkEvent) -> Void
    private lazy var life = LinkLife(
        loop: loop, address: "\(address)", connect: { [weak self] in self?.connect() }, tell: tell)
    /// Asked and not answered, by their number.
    private var asked: [Int: (WorkAnswer<KeptDocument>) -> Void] = [:]
    private var lastNumber = 0

    init(
        _ address: MongoDBAddress, _ collections: MongoDBCollections, loop: any EventLoop,
        tell: @escaping (LinkEvent) -> Void
    ) {
        self.address = address
        self.loop = loop
        self.tell = tell
        thread = MongoDBThread(address, collections)
    }

    var isUp: Bool { life.isUp }
    /// libmongoc makes as many messages of an operation as the server wants.
    var maxBytes: Int { 1 << 30 }

    func connect() {
        guard !life.isClosed else { return }
        life.begins()
        let attempt = life.attempt
        thread.run(.open, on: loop) { [weak self] outcome in
            guard let self, !life.isClosed, life.attempt == attempt else { return }
            guard case .failed(let error) = outcome else { return life.becameUp() }
            let failure = error.failure(at: "\(address)")
            if error.kind == .refused { life.refused(failure) } else { life.retry(error.detail) }
        }
    }

    func perform(_ works: [ResultWork<KeptDocument>], done: @escaping (Int, WorkAnswer<KeptDocument>) -> Void) {
        for (index, work) in works.enumerated() {
            lastNumber += 1
            let number = lastNumber
            asked[number] = { answer in done(index, answer) }
            thread.run(operation(work), on: loop) { [weak self] outcome in
                guard let self, let done = asked.removeValue(forKey: number) else { return }
                done(answer(outcome, to: work))
            }
        }
    }

    /// The thread has left its connection already, if that was at fault.
    func drop(_ reason: String) {
        end()
        life.retry(reason)
    }

    func close() {
        life.close()
        thread.end()
        end()
    }

    private func end() {
        life.ended()
        let unanswered = asked.sorted { $0.key < $1.key }
        asked = [:]
        for (_, done) in unanswered { done(.lost) }
    }

    private func operation(_ work: ResultWork<KeptDocument>) -> MongoDBOperation {
        switch work {
        case .store(let documents): .store(documents)
        case .forget(let ids): .forget(ids)
        case .fetch(let ids): .fetch(ids)
        case .look(let seen): .fetch(seen.map(\.id))
        case .sweep(let seconds, _): .sweep(before: loop.clocks.wall.advanced(bySeconds: -seconds))
        }
    }

    private func answer(_ outcome: MongoDBOutcome, to work: ResultWork<KeptDocument>) -> WorkAnswer<KeptDocument> {
        switch outcome {
        case .failed(let error): return .failed(kind(of: error))
        case .stored(let wrong):
            // What passes comes first: all are stored once more then, and what is wrong for good shows itself.
            let error = wrong.values.first { $0.kind == .passing } ?? wrong.values.first
            return error.map { .failed(kind(of: $0)) } ?? .rows([])
        case .documents(let documents):
            let found = documents.compactMap { bytes -> Versioned<KeptDocument>? in
                guard let id = ResultDocument.taskID(bytes) else { return nil }
                return (KeptDocument(taskID: id, document: bytes), ResultDocument.version(bytes))
            }
            guard case .look(let seen) = work else { return .rows(found) }
            var versions: [String: String] = [:]
            for one in seen { versions[one.id] = one.version }
            return .rows(found.filter { versions[$0.row.taskID] != $0.version })
        case .done, .examined:
            // How many are gone is not told; none are left.
            if case .sweep = work { return .count(0) }
            return .rows([])
        }
    }

    private func kind(of error: MongoDBError) -> SQLErrorKind {
        switch error.kind {
        case .passing, .refused, .duplicate: .reconnect(error.detail)
        case .forbidden: .refused(error.failure(at: "\(address)"))
        case .unfit: .unfit(error.failure(at: "\(address)"))
        }
    }
}
