// libmongoc's client: every command that is sent to MongoDB.
import CMongo
import TaskModel
import TaskhostJSON

/// Blocks; belongs to one thread. libmongoc finds the server that takes writes, and another one after a fail-over.
final class MongoDBSession {
    private let mongo: UnsafePointer<mongo_library>
    private let client: OpaquePointer
    private let tasks: OpaquePointer
    private let groups: OpaquePointer
    private let database: String

    /// Milliseconds, where the address does not say.
    private static let timeouts: [(name: String, milliseconds: Int32)] = [
        ("connecttimeoutms", 5_000), ("serverselectiontimeoutms", 5_000), ("sockettimeoutms", 15_000),
    ]

    init(_ address: MongoDBAddress, _ collections: MongoDBCollections) throws(MongoDBError) {
        mongo = address.library.call
        let mongo = mongo.pointee
        var error = bson_error_t()
        guard let uri = mongo.mongoc_uri_new_with_error(address.uri, &error) else { throw MongoDBError(error) }
        defer { mongo.mongoc_uri_destroy(uri) }
        for (name, milliseconds) in Self.timeouts where !mongo.mongoc_uri_has_option(uri, name) {
            _ = mongo.mongoc_uri_set_option_as_int32(uri, name, milliseconds)
        }
        guard let client = mongo.mongoc_client_new_from_uri_with_error(uri, &error) else { throw MongoDBError(error) }
        _ = mongo.mongoc_client_set_error_api(client, Int32(MONGO_ERROR_API_VERSION_2))
        _ = mongo.mongoc_client_set_appname(client, "taskhost")
        guard let tasks = mongo.mongoc_client_get_collection(client, collections.database, collections.task),
            let groups = mongo.mongoc_client_get_collection(client, collections.database, collections.group)
        else { throw MongoDBError(.passing, "out of memory") }
        (self.client, self.tasks, self.groups) = (client, tasks, groups)
        database = collections.database
    }

    deinit {
        mongo.pointee.mongoc_collection_destroy(tasks)
        mongo.pointee.mongoc_collection_destroy(groups)
        mongo.pointee.mongoc_client_destroy(client)
    }

    func run(_ operation: MongoDBOperation) -> MongoDBOutcome {
        do throws(MongoDBError) {
            switch operation {
            case .open:
                try open()
                return .done
            case .store(let documents): return .stored(try store(documents))
            case .forget(let ids):
                try delete(tasks, BSONDocument().with("_id", document: BSONDocument().with("$in", texts: ids)))
                return .done
            case .fetch(let ids): return .documents(try fetch(ids))
            case .sweep(let time):
                for collection in [tasks, groups] {
                    let old = BSONDocument().with("$lt", date: time)
                    try delete(collection, BSONDocument().with("date_done", document: old))
                }
                return .done
            case .examine: return .examined(try examine())
            }
        } catch {
            return .failed(error)
        }
    }

    private func open() throws(MongoDBError) {
        _ = try command("admin", BSONDocument().with("ping", int: 1))
        let keys = BSONDocument().with("date_done", int: 1)
        let index = BSONDocument().with("key", document: keys).with("name", "date_done_1")
        for collection in [tasks, groups] {
            let name = mongo.pointee.mongoc_collection_get_name(collection).map { String(cString: $0) } ?? ""
            do throws(MongoDBError) {
                let indexes = BSONDocument().with("0", document: index)
                _ = try command(database, BSONDocument().with("createIndexes", name).with("indexes", array: indexes))
            } catch  where error.kind != .passing {
                // Whoever may not make it finds what is old more slowly.
                continue
            }
        }
    }

    private func store(_ documents: [KeptDocument]) throws(MongoDBError) -> [Int: MongoDBError] {
        var wrong: [Int: MongoDBError] = [:]
        // A duplicate may have been stored at that moment by somebody else, and not be a SUCCESS: once more, as Celery.
        var left = Array(documents.indices)
        for isLast in [false, true] where !left.isEmpty {
            let found = try bulk(left.map { documents[$0] })
            var again: [Int] = []
            for (place, error) in found {
                if case .duplicate = error.kind {
                    if !isLast { again.append(left[place]) }
                } else {
                    wrong[left[place]] = error
                }
            }
            left = again
        }
        return wrong
    }

    /// Replaces what is no SUCCESS; where there is one, the insertion fails.
    private func bulk(_ documents: [KeptDocument]) throws(MongoDBError) -> [Int: MongoDBError] {
        let room = BSONRoom(mongo)
        defer { room.free() }
        let options = try room.hold(BSONDocument().with("ordered", bool: false))
        guard let bulk = mongo.pointee.mongoc_collection_create_bulk_operation_with_opts(tasks, options) else {
            throw MongoDBError(.passing, "out of memory")
        }
        defer { mongo.pointee.mongoc_bulk_operation_destroy(bulk) }
        let upsert = try room.hold(BSONDocument().with("upsert", bool: true))
        var error = bson_error_t()
        for one in documents {
            let other = BSONDocument().with("$ne", TaskState.success.rawValue)
            let query = try room.hold(BSONDocument().with("_id", one.taskID).with("status", document: other))
            guard
                mongo.pointee.mongoc_bulk_operation_replace_one_with_opts(
                    bulk, query, try room.hold(one.document), upsert, &error)
            else { throw MongoDBError(error) }
        }
        let reply = BSONReply(mongo)
        defer { reply.free() }
        let status = mongo.pointee.mongoc_bulk_operation_execute(bulk, reply.pointer, &error)
        guard status == 0 else { return [:] }
        let found = reply.writeErrors
        // Without any it is the command that failed.
        guard !found.isEmpty, !reply.hasWriteConcernErrors else { throw MongoDBError(error) }
        return found
    }

    private func fetch(_ ids: [String]) throws(MongoDBError) -> [[UInt8]] {
        let filter = BSONDocument().with("_id", document: BSONDocument().with("$in", texts: ids))
        let room = BSONRoom(mongo)
        defer { room.free() }
        guard let cursor = mongo.pointee.mongoc_collection_find_with_opts(tasks, try room.hold(filter), nil, nil) else {
            throw MongoDBError(.passing, "out of memory")
        }
        defer { mongo.pointee.mongoc_cursor_destroy(cursor) }
        var found: [[UInt8]] = []
        var document: OpaquePointer?
        while mongo.pointee.mongoc_cursor_next(cursor, &document) {
            if let document { found.append(BSONReply.bytes(of: document, mongo)) }
        }
        var error = bson_error_t()
        if mongo.pointee.mongoc_cursor_error(cursor, &error) { throw MongoDBError(error) }
        return found
    }

    private func delete(_ collection: OpaquePointer, _ filter: BSONDocument) throws(MongoDBError) {
        let room = BSONRoom(mongo)
        defer { room.free() }
        var error = bson_error_t()
        guard mongo.pointee.mongoc_collection_delete_many(collection, try room.hold(filter), nil, nil, &error) else {
            throw MongoDBError(error)
        }
    }

    private func examine() throws(MongoDBError) -> MongoDBFacts {
        var facts = MongoDBFacts()
        let hello = try command("admin", BSONDocument().with("hello", int: 1))
        if case .other(.bool(false))? = hello.first(where: { $0.key == "isWritablePrimary" })?.value {
            facts.takesWrites = false
        }
        let build = try command("admin", BSONDocument().with("buildInfo", int: 1))
        facts.version = build.first { $0.key == "version" }?.value.string ?? "?"
        do throws(MongoDBError) {
            _ = try fetch(["taskhost-doctor"])
        } catch  where error.kind == .forbidden {
            facts.readRefusal = error.detail
        }
        return facts
    }

    private func command(
        _ database: String, _ command: BSONDocument
    ) throws(MongoDBError) -> [BSONReader.Member] {
        let room = BSONRoom(mongo)
        let reply = BSONReply(mongo)
        defer {
            room.free()
            reply.free()
        }
        var error = bson_error_t()
        guard
            mongo.pointee.mongoc_client_command_simple(
                client, database, try room.hold(command), nil, reply.pointer, &error)
        else {
            throw MongoDBError(error)
        }
        return reply.members
    }
}
