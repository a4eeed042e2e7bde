// Decoding as a value: what the decoder makes of a message, or what is known of one that it refuses.
public import TaskModel

/// Of a message that was refused.
public struct RefusedMessage: Error, Sendable {
    public var error: WireError
    /// What could be found out of who waits for it; nil: no one may be notified.
    public var known: TaskMessage?
}

extension MessageDecoder {
    public func decoded(_ delivery: Delivery, now: WallTime) -> Result<TaskMessage, RefusedMessage> {
        do throws(WireError) {
            return .success(try decode(delivery, now: now))
        } catch {
            return .failure(RefusedMessage(error: error, known: salvage(delivery)))
        }
    }

    /// Whether it takes so long that nothing else should wait for it: plain JSON is only scanned, all else is written
    /// again as JSON, or proved.
    /// - Parameter bytes: of JSON that is read and written again in a moment.
    public func takesLong(_ message: WireMessage, bytes: Int) -> Bool {
        guard message.body.count > bytes / 4 else { return false }
        let isPlain =
            message.properties.contentType.flatMap(ContentType.named) == .json
            && message.headers[HeaderName.compression] == nil
        return message.body.count > (isPlain ? 8 * bytes : bytes / 4)
    }
}
