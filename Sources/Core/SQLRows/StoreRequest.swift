// What is asked of a store of results, and how much of it one statement takes.
import Ports

enum StoreRequest<Kept: KeptResult> {
    case store(Kept, (StoreFailure?) -> Void)
    case forget(String, (StoreFailure?) -> Void)
    case fetch(String, (Result<Kept?, StoreFailure>) -> Void)
    case look([(id: String, version: String)], (Result<[Versioned<Kept>], StoreFailure>) -> Void)
    /// Answers how many rows are gone.
    case sweep(Double, limit: Int, (Result<Int, StoreFailure>) -> Void)

    var bytes: Int {
        switch self {
        case .store(let row, _): row.bytes
        case .look(let seen, _): 64 * seen.count
        case .forget, .fetch, .sweep: 128
        }
    }

    func fail(_ failure: StoreFailure) {
        switch self {
        case .store(_, let done), .forget(_, let done): done(failure)
        case .fetch(_, let done): done(.failure(failure))
        case .look(_, let done): done(.failure(failure))
        case .sweep(_, _, let done): done(.failure(failure))
        }
    }
}

/// Requests of one kind, which follow each other: one statement.
struct RequestGroup<Kept: KeptResult> {
    private(set) var requests: [StoreRequest<Kept>]
    private var ids: Set<String> = []
    private(set) var bytes: Int

    init(_ first: StoreRequest<Kept>) {
        requests = [first]
        bytes = first.bytes
        if case .store(let row, _) = first { ids = [row.taskID] }
    }

    /// - Parameter most: of requests.
    /// - Returns: false: it goes into a statement of its own.
    mutating func take(_ request: StoreRequest<Kept>, most: Int, maxBytes: Int) -> Bool {
        guard requests.count < most, bytes + request.bytes <= maxBytes else { return false }
        switch (requests[0], request) {
        // A statement that inserts can touch each row once.
        case (.store, .store(let row, _)): guard ids.insert(row.taskID).inserted else { return false }
        case (.forget, .forget), (.fetch, .fetch): break
        default: return false
        }
        requests.append(request)
        bytes += request.bytes
        return true
    }

    var work: ResultWork<Kept> {
        switch requests[0] {
        case .store:
            .store(requests.compactMap { request in if case .store(let row, _) = request { row } else { nil } })
        case .forget:
            .forget(requests.compactMap { request in if case .forget(let id, _) = request { id } else { nil } })
        case .fetch:
            .fetch(requests.compactMap { request in if case .fetch(let id, _) = request { id } else { nil } })
        case .look(let seen, _): .look(seen)
        case .sweep(let seconds, let limit, _): .sweep(olderThanSeconds: seconds, limit: limit)
        }
    }

    func succeed(_ rows: [Versioned<Kept>], count: Int = 0) {
        var found: [String: Kept] = [:]
        if case .fetch = requests[0] {
            for row in rows { found[row.row.taskID] = row.row }
        }
        for request in requests {
            switch request {
            case .store(_, let done), .forget(_, let done): done(nil)
            case .fetch(let id, let done): done(.success(found[id]))
            case .look(_, let done): done(.success(rows))
            case .sweep(_, _, let done): done(.success(count))
            }
        }
    }
}
