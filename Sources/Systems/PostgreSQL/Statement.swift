// What is sent to PostgreSQL, and what comes back.

struct Statement {
    var sql: String
    var parameters: [Parameter] = []
    /// Of one transaction with the one after it.
    var isContinued = false
}

enum StatementAnswer {
    /// Of each column its bytes, in binary form; nil: NULL.
    case rows([[[UInt8]?]])
    case failed(ServerError)
    /// The connection broke before the answer: whether it was done is unknown.
    case lost
}

/// Of a NOTIFY that was committed.
struct Notification {
    var channel: String
    /// Less than 8,000 bytes.
    var payload: String
}
