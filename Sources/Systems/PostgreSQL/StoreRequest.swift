// What is asked of the store, and how much of it one statement takes.
import Ports
import SQLRows

enum StoreRequest {
    case store(TaskRow, (StoreFailure?) -> Void)
    case forget(String, (StoreFailure?) -> Void)
    case fetch(String, (Result<TaskRow?, StoreFailure>) -> Void)
    case look([(id: String, version: String)], (Result<[(row: TaskRow, version: String)], StoreFailure>) -> Void)
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
struct RequestGroup {
    private(set) var requests: [StoreRequest]
    private var ids: Set<String> = []
    private(set) var bytes: Int

    init(_ first: StoreRequest) {
        requests = [first]
        bytes = first.bytes
        if case .store(let row, _) = first { ids = [row.taskID] }
    }

    /// - Parameter most: of requests.
    /// - Returns: false: it goes into a statement of its own.
    mutating func take(_ request: StoreRequest, most: Int, mostBytes: Int) -> Bool {
        guard requests.count < most, bytes + request.bytes <= mostBytes else { return false }
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

    func statements(_ statements: ResultStatements) -> [Statement] {
        switch requests[0] {
        case .store:
            return [
                statements.store(
                    requests.compactMap { request in
                        if case .store(let row, _) = request { row } else { nil }
                    })
            ]
        case .forget:
            return [
                statements.forget(
                    requests.compactMap { request in
                        if case .forget(let id, _) = request { id } else { nil }
                    })
            ]
        case .fetch:
            let ids: [String] = requests.compactMap { request in
                if case .fetch(let id, _) = request { id } else { nil }
            }
            return [statements.fetch(ids)]
        case .look(let seen, _): return [statements.changes(seen)]
        case .sweep(let seconds, let limit, _):
            return [
                statements.sweep(statements.tables.group, olderThanSeconds: seconds, limit: limit),
                statements.sweep(statements.tables.task, olderThanSeconds: seconds, limit: limit),
            ]
        }
    }

    func succeed(_ rows: [[[UInt8]?]]) {
        var found: [String: TaskRow] = [:]
        if case .fetch = requests[0] {
            for cells in rows {
                guard let row = ResultStatements.row(cells)?.row else { continue }
                found[row.taskID] = row
            }
        }
        for request in requests {
            switch request {
            case .store(_, let done), .forget(_, let done): done(nil)
            case .fetch(let id, let done): done(.success(found[id]))
            case .look(_, let done): done(.success(rows.compactMap(ResultStatements.row)))
            case .sweep(_, _, let done):
                let count = rows.first?.first.flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) }
                done(.success(count.flatMap { Int($0) } ?? 0))
            }
        }
    }
}
