// What Redis answered, copied out of hiredis' memory.
import CHiredis

enum RedisReply {
    case none
    case status(String)
    case integer(Int64)
    case bytes([UInt8])
    case array([RedisReply])
    case error(String)
    /// The link broke before an answer came.
    case linkLost

    /// - Parameter pointer: a `redisReply`, or nil when the context is being freed.
    init(_ pointer: UnsafeMutableRawPointer?) {
        guard let reply = pointer?.assumingMemoryBound(to: redisReply.self).pointee else {
            self = .linkLost
            return
        }
        switch reply.type {
        case REDIS_REPLY_STRING: self = .bytes(Self.bytes(reply))
        case REDIS_REPLY_STATUS: self = .status(Self.text(reply))
        case REDIS_REPLY_ERROR: self = .error(Self.text(reply))
        case REDIS_REPLY_INTEGER: self = .integer(reply.integer)
        case REDIS_REPLY_ARRAY: self = .array((0..<Int(reply.elements)).map { RedisReply(reply.element[$0]) })
        default: self = .none
        }
    }

    /// The error, also when it is inside an array (EXEC answers so).
    var errorText: String? {
        switch self {
        case .error(let text): text
        case .array(let items): items.lazy.compactMap(\.errorText).first
        default: nil
        }
    }

    private static func bytes(_ reply: redisReply) -> [UInt8] {
        guard let text = reply.str else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: text, count: Int(reply.len)))
    }

    private static func text(_ reply: redisReply) -> String { String(decoding: bytes(reply), as: UTF8.self) }
}
