// Where MongoDB is, as Celery and pymongo write it: libmongoc reads the same addresses.
import CMongo
public import Ports
import TaskModel

/// `mongodb://[user:password@]host[:port][,host…][/database][?option=value&…]`, `mongodb+srv://` likewise. Options are
/// libmongoc's (`replicaSet`, `tls`, `tlsCAFile`, `authSource`, `w` …).
public struct MongoDBAddress: Sendable {
    /// As it is given to libmongoc, secrets and all.
    let uri: String
    let library: MongoLibrary
    /// `celery` where the address names none.
    public let database: String
    public let description: String

    static let schemes = ["mongodb", "mongodb+srv"]

    /// - Throws: with the fix; it never shows the password.
    public init(url text: String) throws(StoreFailure) {
        let url: ConnectionURL
        do throws(ConnectionURLError) {
            url = try ConnectionURL(parsing: text)
        } catch {
            throw Self.malformed("it cannot be read: write what is no letter in names and passwords as %XX")
        }
        guard !url.hosts.isEmpty else { throw Self.malformed("it has no \"://\"") }
        guard Self.schemes.contains(url.scheme) else { throw Self.malformed("it begins with \"\(url.scheme)://\"") }
        // As Celery reads the bare scheme.
        let full = text == "mongodb://" ? "mongodb://localhost" : text
        library = try MongoLibrary.open()
        let mongo = library.call.pointee
        var error = bson_error_t()
        guard let read = mongo.mongoc_uri_new_with_error(full, &error) else {
            throw Self.malformed(ConnectionURL.redacted(MongoDBError(error).detail))
        }
        defer { mongo.mongoc_uri_destroy(read) }
        guard mongo.mongoc_write_concern_is_acknowledged(mongo.mongoc_uri_get_write_concern(read)) else {
            throw StoreFailure(
                "The MongoDB address asks for writes without confirmation (w=0)", .refused,
                fix: "Leave w out, or set w=majority: a task is done when its result is stored")
        }
        uri = full
        let path = url.path.drop { $0 == "/" }
        database = path.isEmpty ? "celery" : String(path)
        let places = url.hosts.map { host in
            let name = host.name.isEmpty ? "localhost" : host.name.contains(":") ? "[\(host.name)]" : host.name
            return name + (host.port.map { ":\($0)" } ?? "")
        }
        let who = url.user.map { "\($0)@" } ?? ""
        description = "\(url.scheme)://\(who)\(places.joined(separator: ","))/\(database)"
    }

    private static func malformed(_ reason: String) -> StoreFailure {
        StoreFailure(
            "The MongoDB address cannot be used: \(reason)", .refused,
            fix: "Write mongodb://[user:password@]host[:port][,host]/database[?option=value]")
    }
}

extension MongoDBAddress: CustomStringConvertible {}
