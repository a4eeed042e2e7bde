// Documents in libbson's memory, as libmongoc takes and gives them. Freed by name: a pointer keeps nothing alive.
import CMongo
import TaskhostJSON

/// Holds what a call is given, until it is over.
final class BSONRoom {
    private let mongo: UnsafePointer<mongo_library>
    private var held: [OpaquePointer] = []

    init(_ mongo: UnsafePointer<mongo_library>) { self.mongo = mongo }

    func hold(_ document: BSONDocument) throws(MongoDBError) -> OpaquePointer { try hold(document.bytes) }

    func hold(_ bytes: [UInt8]) throws(MongoDBError) -> OpaquePointer {
        guard let made = mongo.pointee.bson_new_from_data(bytes, bytes.count) else {
            throw MongoDBError(.unfit, "libbson does not take the document")
        }
        held.append(made)
        return made
    }

    func free() {
        for one in held { mongo.pointee.bson_destroy(one) }
        held = []
    }
}

/// Room for what libmongoc writes an answer into, whatever becomes of the call.
final class BSONReply {
    private let mongo: UnsafePointer<mongo_library>
    let pointer: OpaquePointer
    private let room: UnsafeMutableRawPointer

    init(_ mongo: UnsafePointer<mongo_library>) {
        self.mongo = mongo
        // Size and alignment of a `bson_t`, which is part of libbson's binary interface.
        room = .allocate(byteCount: 128, alignment: 128)
        pointer = OpaquePointer(room)
        mongo.pointee.bson_init(pointer)
    }

    func free() {
        mongo.pointee.bson_destroy(pointer)
        room.deallocate()
    }

    static func bytes(of document: OpaquePointer, _ mongo: UnsafePointer<mongo_library>) -> [UInt8] {
        guard let start = mongo.pointee.bson_get_data(document) else { return [] }
        // A document begins with its length.
        let length = UnsafeRawPointer(start).loadUnaligned(as: Int32.self).littleEndian
        return Array(UnsafeBufferPointer(start: start, count: Int(length)))
    }

    var members: [BSONReader.Member] { BSONReader.members(of: Self.bytes(of: pointer, mongo)) }

    var hasWriteConcernErrors: Bool { !errors("writeConcernErrors").isEmpty }

    /// By the place of what they are about.
    var writeErrors: [Int: MongoDBError] {
        var found: [Int: MongoDBError] = [:]
        for error in errors("writeErrors") {
            guard let place = error["index"]?.integer else { continue }
            found[Int(place)] = MongoDBError(code: error["code"]?.integer ?? 0, error["errmsg"]?.text ?? "?")
        }
        return found
    }

    private func errors(_ name: String) -> [JSON] {
        guard case .other(.array(let errors))? = members.first(where: { $0.key == name })?.value else { return [] }
        return errors
    }
}
