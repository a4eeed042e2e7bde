// libmongoc, opened with the first address that needs it.
import CMongo
import Ports

/// Its functions. Whoever has one of these has found the library.
struct MongoLibrary: @unchecked Sendable {
    // Safe to share: written once, before anybody has it.
    let call: UnsafePointer<mongo_library>

    /// Once per process: libmongoc would write its warnings to standard error.
    private static let opened: Result<MongoLibrary, StoreFailure> = {
        var reason = [CChar](repeating: 0, count: 256)
        guard let found = mongo_open(&reason, reason.count) else {
            return .failure(
                StoreFailure(
                    "MongoDB's client library cannot be loaded: "
                        + String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self),
                    .refused,
                    fix: "Install it: apt-get install libmongoc-1.0-0 (libmongoc-1.0-0t64 from Debian 13 on)"))
        }
        found.pointee.mongoc_init()
        found.pointee.mongoc_log_set_handler(nil, nil)
        return .success(MongoLibrary(call: found))
    }()

    static func open() throws(StoreFailure) -> MongoLibrary { try opened.get() }
}
