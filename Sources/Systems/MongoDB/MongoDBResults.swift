// Results in MongoDB, document for document as Celery 5.7 keeps them (celery-protocol.md §4.9): the store for all
// databases, over a link of its own.
import Ports
import SQLRows
import TaskModel

typealias MongoDBResults = DatabaseResults<DocumentFormat>

extension DatabaseResults where Format == DocumentFormat {
    convenience init(address: MongoDBAddress, loop: any EventLoop, options: ResultOptions) {
        let collections = MongoDBCollections(address, options)
        self.init(
            description: address.description, loop: loop, format: DocumentFormat(codec: options.codec),
            expiresSeconds: options.chordsExpireSeconds
        ) { tell in
            MongoDBLink(address, collections, loop: loop, tell: tell)
        }
    }
}

/// A document as the server keeps it.
struct KeptDocument: KeptResult, Sendable {
    let taskID: String
    let document: [UInt8]

    var bytes: Int { 128 + document.count }
}

struct DocumentFormat: ResultFormat {
    /// How the result alone is written; nil: in JSON.
    let codec: (any ResultCodec)?

    func kept(_ record: ResultRecord, dateDone: (WallTime?) -> WallTime?) throws(StoreFailure) -> KeptDocument {
        KeptDocument(
            taskID: record.taskID, document: try ResultDocument.bytes(record, codec, dateDone: dateDone))
    }

    func document(_ kept: KeptDocument) throws(StoreFailure) -> [UInt8] {
        try ResultDocument.meta(kept.document, codec)
    }
}

extension MongoDBCollections {
    init(_ address: MongoDBAddress, _ options: ResultOptions) {
        self.init(
            database: address.database, task: options.taskTable ?? "celery_taskmeta",
            group: options.groupTable ?? "celery_groupmeta")
    }
}
