// What waits for MongoDB: batches, one at a time, asked again after a loss, or while it is unwell.
import Ports
import TaskModel

enum MongoDBRequest {
    case store(taskID: String, document: [UInt8], (StoreFailure?) -> Void)
    case forget(String, (StoreFailure?) -> Void)
    case fetch(String, (Result<[UInt8]?, StoreFailure>) -> Void)
    case look([String], (Result<[[UInt8]], StoreFailure>) -> Void)
    case sweep(before: WallTime, (StoreFailure?) -> Void)

    var bytes: Int {
        switch self {
        case .store(_, let document, _): 128 + document.count
        case .look(let ids, _): 64 * ids.count
        case .forget, .fetch, .sweep: 128
        }
    }

    func fail(_ failure: StoreFailure) {
        switch self {
        case .store(_, _, let done), .forget(_, let done), .sweep(_, let done): done(failure)
        case .fetch(_, let done): done(.failure(failure))
        case .look(_, let done): done(.failure(failure))
        }
    }
}

/// Belongs to the loop's thread. What comes while a batch is under way makes up the next.
final class MongoDBQueue {
    enum Event {
        case up
        case down(reason: String, retryInSeconds: Double)
    }

    /// Requests that may wait; what comes beyond is refused (not permanently).
    private static let maxWaiting = 100_000
    private static let maxWaitingBytes = 256 << 20
    /// Of one batch: what a loss of the connection makes us repeat.
    private static let batchRequests = 1_000
    private static let batchBytes = 8 << 20
    private static let refusedPause = 10.0

    private let address: MongoDBAddress
    private let loop: any EventLoop
    private let thread: MongoDBThread
    private let report: (Event) -> Void
    private var waiting: [MongoDBRequest] = []
    private var waitingBytes = 0
    private var isUp = false
    private var wasUp = false
    private var isUnderWay = false
    /// So many of those that wait go alone: one of them is what the server does not take.
    private var alone = 0
    private var backoff = Backoff(initial: 0.1, max: 2, jitter: Backoff.upperHalf)
    private var timer: (any LoopTimer)?
    /// Why nothing can be asked until somebody has been let in.
    private var refusal: StoreFailure?
    private var isClosed = false

    init(
        _ address: MongoDBAddress, _ collections: MongoDBCollections, loop: any EventLoop,
        report: @escaping (Event) -> Void
    ) {
        self.address = address
        self.loop = loop
        self.report = report
        thread = MongoDBThread(address, collections)
    }

    func connect() {
        guard !isClosed else { return }
        thread.run(.open, on: loop) { [weak self] outcome in
            guard let self, !isClosed else { return }
            switch outcome {
            case .failed(let error): lost(error)
            default:
                isUp = true
                wasUp = true
                refusal = nil
                report(.up)
                pump()
            }
        }
    }

    /// What waits is given up, and said so.
    func close() {
        isClosed = true
        timer?.cancel()
        thread.end()
        giveUp(StoreFailure("The connection to \(address) was closed before it was done"))
    }

    func add(_ request: MongoDBRequest) {
        let failure: StoreFailure? =
            if isClosed {
                StoreFailure("The connection to \(address) is closed")
            } else if let refusal {
                refusal
            } else if waiting.count >= Self.maxWaiting || waitingBytes + request.bytes > Self.maxWaitingBytes,
                !waiting.isEmpty
            {
                StoreFailure(
                    "\(waiting.count) requests of \(waitingBytes) bytes already wait for \(address)",
                    fix: "See why it is not reachable")
            } else {
                nil
            }
        if let failure {
            _ = loop.schedule(afterSeconds: 0) { request.fail(failure) }
            return
        }
        waiting.append(request)
        waitingBytes += request.bytes
        pump()
    }

    private func giveUp(_ failure: StoreFailure) {
        let given = underWay + waiting
        (underWay, waiting, waitingBytes, alone) = ([], [], 0, 0)
        for request in given { request.fail(failure) }
    }

    // ---- batches ----

    /// The requests of the operation under way.
    private var underWay: [MongoDBRequest] = []

    private func pump() {
        guard isUp, !isUnderWay, !waiting.isEmpty else { return }
        let count = alone > 0 ? 1 : batchSize()
        alone = max(0, alone - 1)
        underWay = Array(waiting.prefix(count))
        waiting.removeFirst(count)
        waitingBytes -= underWay.reduce(0) { $0 + $1.bytes }
        isUnderWay = true
        thread.run(operation(of: underWay), on: loop) { [weak self] outcome in
            guard let self, !isClosed else { return }
            answered(outcome)
        }
    }

    /// Requests of one kind, which follow each other; each task once.
    private func batchSize() -> Int {
        var ids: Set<String> = []
        var (count, bytes) = (0, 0)
        for request in waiting.prefix(Self.batchRequests) {
            bytes += request.bytes
            let fits =
                switch (waiting[0], request) {
                case (.store, .store(let id, _, _)): ids.insert(id).inserted
                case (.forget, .forget), (.fetch, .fetch): true
                default: count == 0
                }
            guard fits, count == 0 || bytes <= Self.batchBytes else { break }
            count += 1
        }
        return count
    }

    private func operation(of batch: [MongoDBRequest]) -> MongoDBOperation {
        var documents: [(taskID: String, document: [UInt8])] = []
        var ids: [String] = []
        for request in batch {
            switch request {
            case .store(let id, let document, _): documents.append((id, document))
            case .forget(let id, _), .fetch(let id, _): ids.append(id)
            case .look(let all, _): ids = all
            case .sweep(let time, _): return .sweep(before: time)
            }
        }
        if !documents.isEmpty { return .store(documents) }
        if case .forget = batch[0] { return .forget(ids) }
        return .fetch(ids)
    }

    private func answered(_ outcome: MongoDBOutcome) {
        let batch = underWay
        underWay = []
        isUnderWay = false
        switch outcome {
        case .failed(let error): failed(batch, error)
        case .stored(let wrong): stored(batch, wrong)
        case .documents(let documents):
            backoff.reset()
            found(batch, documents)
        case .done, .examined:
            backoff.reset()
            for request in batch {
                switch request {
                case .store(_, _, let done), .forget(_, let done), .sweep(_, let done): done(nil)
                case .fetch(_, let done): done(.success(nil))
                case .look(_, let done): done(.success([]))
                }
            }
        }
        pump()
    }

    private func failed(_ batch: [MongoDBRequest], _ error: MongoDBError) {
        switch error.kind {
        case .passing, .refused, .duplicate:
            takeBack(batch)
            lost(error)
        // One of them is at fault, and it is unknown which.
        case .unfit where batch.count > 1:
            takeBack(batch)
            alone = batch.count
        case .unfit, .forbidden:
            let failure = error.failure(at: "\(address)")
            for request in batch { request.fail(failure) }
        }
    }

    private func stored(_ batch: [MongoDBRequest], _ wrong: [Int: MongoDBError]) {
        var again: [MongoDBRequest] = []
        var reason: MongoDBError?
        for (place, request) in batch.enumerated() {
            switch wrong[place] {
            case nil:
                if case .store(_, _, let done) = request { done(nil) }
                if case .forget(_, let done) = request { done(nil) }
                if case .sweep(_, let done) = request { done(nil) }
            case let error? where error.kind == .passing:
                again.append(request)
                reason = error
            case let error?: request.fail(error.failure(at: "\(address)"))
            }
        }
        guard let reason else { return backoff.reset() }
        takeBack(again)
        lost(reason)
    }

    private func found(_ batch: [MongoDBRequest], _ documents: [[UInt8]]) {
        var byID: [String: [UInt8]] = [:]
        for document in documents { if let id = ResultDocument.taskID(document) { byID[id] = document } }
        for request in batch {
            switch request {
            case .fetch(let id, let done): done(.success(byID[id]))
            case .look(_, let done): done(.success(documents))
            case .store(_, _, let done), .forget(_, let done), .sweep(_, let done): done(nil)
            }
        }
    }

    private func takeBack(_ batch: [MongoDBRequest]) {
        waiting.insert(contentsOf: batch, at: 0)
        waitingBytes += batch.reduce(0) { $0 + $1.bytes }
    }

    /// It is opened again after a while. Who was let in before waits: a password that was turned is no reason to give up
    /// what waits.
    private func lost(_ error: MongoDBError) {
        isUp = false
        guard !isClosed, timer == nil else { return }
        let failure = error.failure(at: "\(address)")
        var pause = backoff.next()
        if error.kind == .refused, !wasUp {
            pause = Self.refusedPause
            refusal = failure
            giveUp(failure)
        }
        timer = loop.schedule(afterSeconds: pause) { [weak self] in
            self?.timer = nil
            self?.connect()
        }
        report(.down(reason: failure.detail, retryInSeconds: pause))
    }
}
