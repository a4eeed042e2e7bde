// What the thread that owns the connection is asked to do, and what comes of it: values only.
import TaskModel

enum MongoDBOperation: Sendable {
    /// Reaches a server and sees to the index on `date_done`.
    case open
    /// Each task once.
    case store([KeptDocument])
    case forget([String])
    case fetch([String])
    /// What ended before, of tasks and of groups.
    case sweep(before: WallTime)
    /// For `taskhost doctor`.
    case examine
}

enum MongoDBOutcome: Sendable {
    case done
    /// Those that are there, as the server keeps them.
    case documents([[UInt8]])
    /// What is wrong with single ones, by their place in the list; the others are stored.
    case stored([Int: MongoDBError])
    case examined(MongoDBFacts)
    /// Nothing is known to be done.
    case failed(MongoDBError)
}

struct MongoDBFacts: Sendable {
    var version = "?"
    var takesWrites = true
    /// Why we cannot read the collection of results; nil: we can.
    var readRefusal: String?
}

struct MongoDBCollections: Sendable {
    var database: String
    var task: String
    var group: String
}
