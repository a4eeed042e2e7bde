// One connection to a database that keeps results, as the queue of requests drives it.
public import Ports

public enum LinkEvent {
    case up
    case down(reason: String, retryInSeconds: Double)
    /// It will not work like this (wrong password, another certificate). Tried again all the same, slowly: an operator may
    /// mend it.
    case refused(StoreFailure)
}

/// What a database keeps of one result: a row, a document.
public protocol KeptResult {
    var taskID: String { get }
    /// Memory that it keeps while it waits.
    var bytes: Int { get }
}

/// A row, and what tells it from an earlier state of itself.
public typealias Versioned<Kept> = (row: Kept, version: String)
public typealias VersionedRow = Versioned<TaskRow>

/// What one statement, or one transaction, does.
public enum ResultWork<Kept> {
    /// Each task once.
    case store([Kept])
    case forget([String])
    case fetch([String])
    /// What has changed since it was seen: for each task the version that was seen last; empty: none.
    case look([(id: String, version: String)])
    /// What ended longer ago goes, at most `limit` rows of each table.
    case sweep(olderThanSeconds: Double, limit: Int)
}

public enum WorkAnswer<Kept> {
    /// Of `fetch` and `look`; otherwise empty.
    case rows([Versioned<Kept>])
    /// Of `sweep`: how many tasks are gone.
    case count(Int)
    case failed(SQLErrorKind)
    /// The connection broke before the answer: whether it was done is unknown.
    case lost
}

/// Keeps itself up: after a loss it connects again. Belongs to the loop's thread.
public protocol ResultLink<Kept>: AnyObject {
    associatedtype Kept: KeptResult

    /// Connected, and the tables are there.
    var isUp: Bool { get }
    /// That one statement may have, with what is written around the values.
    var maxBytes: Int { get }

    func connect()
    /// - Parameter done: called once for each of `works`, in their order.
    func perform(_ works: [ResultWork<Kept>], done: @escaping (Int, WorkAnswer<Kept>) -> Void)
    /// Breaks the connection; a new one is made after the usual pause.
    func drop(_ reason: String)
    /// Nothing is reported afterwards.
    func close()
}
