// What errors of libmongoc and of the server mean for what was asked.
import CMongo
import Ports

struct MongoDBError: Error, Sendable {
    enum Kind: Sendable {
        /// It may go later, as it is.
        case passing
        /// The server lets us not in, or not do this.
        case refused, forbidden
        /// It will never go like this.
        case unfit
        /// The document is there, and is a SUCCESS; or somebody stored it at the same moment.
        case duplicate
    }

    var kind: Kind
    var detail: String

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    init(_ error: bson_error_t) {
        var error = error
        let text = withUnsafePointer(to: &error.message) { pointer in
            pointer.withMemoryRebound(to: CChar.self, capacity: 504) { String(cString: $0) }
        }
        let isOurs =
            error.domain == MONGO_ERROR_CLIENT.rawValue && error.code == MONGO_ERROR_CLIENT_AUTHENTICATE
        // Words that libmongoc puts around what went wrong while it chose a server.
        let isRefused = isOurs || text.contains("Authentication failed") || text.contains("certificate verify failed")
        self.init(isRefused ? .refused : Self.kind(code: error.code, domain: error.domain), text)
    }

    /// - Parameter code: of the server, in the reply to a write.
    init(code: Int64, _ text: String) { self.init(Self.kind(code: UInt32(clamping: code), domain: nil), text) }

    /// Codes of the server (error_codes.yml of MongoDB 7.0). What is not known is tried again.
    private static func kind(code: UInt32, domain: UInt32?) -> Kind {
        let isServers =
            domain.map {
                $0 == MONGO_ERROR_SERVER.rawValue || $0 == MONGO_ERROR_QUERY.rawValue
                    || $0 == MONGO_ERROR_COMMAND.rawValue || $0 == MONGO_ERROR_WRITE_CONCERN.rawValue
            } ?? true
        if domain == MONGO_ERROR_BSON.rawValue { return .unfit }
        guard isServers else { return .passing }
        switch code {
        // DuplicateKey, as versions have called it.
        case 11000, 11001, 12582: return .duplicate
        // Unauthorized.
        case 13: return .forbidden
        // AuthenticationFailed, UserNotFound.
        case 18, 11: return .refused
        // BadValue, FailedToParse, TypeMismatch, Overflow, InvalidBSON, DocumentValidationFailure, BSONObjectTooLarge,
        // and the largest key of an index.
        case 2, 9, 14, 15, 22, 121, 10334, 17280, 17419, 17420: return .unfit
        default: return .passing
        }
    }

    /// - Parameter place: the server, without secrets.
    func failure(at place: String) -> StoreFailure {
        switch kind {
        case .passing, .duplicate: StoreFailure("\(place): \(detail)")
        case .refused:
            StoreFailure(
                "\(place) lets us not in: \(detail)", .refused,
                fix: "Check user, password, authSource and certificates of the address")
        case .forbidden:
            StoreFailure(
                "\(place) forbids it: \(detail)", .forbidden,
                fix: "Give the user of the address readWrite on the database")
        case .unfit: StoreFailure("\(place) does not take it: \(detail)", .unfit)
        }
    }
}
