// Messages sent again: retries, restarts, postponements. Pure: a message in, a message out.
//
// Whatever the client put into headers and properties survives, save what belongs to the broker's own bookkeeping.
public import TaskModel

public enum Republication {
    /// The next attempt (celery-protocol.md §3.8): same id, one retry more, a new eta, starts counted from 0.
    /// Messages of protocol 1 become protocol 2.
    /// - Parameters:
    ///   - retries: attempts made by then.
    ///
    /// A body that was a map (protocol 1) comes back as plain JSON: `WireMessage.encoded` gives it the type it had.
    ///   - request: may change arguments and expiry; nil: all as before.
    public static func retry(
        _ delivery: Delivery, _ message: TaskMessage, eta: WallTime, retries: Int, now: WallTime,
        request: RetryRequest? = nil
    ) -> WireMessage {
        var again = asProtocol2(delivery, message, calledWith: request)
        again.headers[OwnHeaders.starts] = nil
        again.headers[OwnHeaders.postponed] = nil
        again.headers["retries"] = .int(Int64(retries))
        again.headers["eta"] = .string(ISO8601.format(eta))
        if let priority = request?.priority { again.properties.priority = priority }
        again.headers["parent_id"] = .string(message.parentID ?? message.id)
        again.headers["root_id"] = .string(message.rootID ?? message.id)
        let sooner = request?.expires.map { now.advanced(bySeconds: $0) }
        if let sooner { again.headers["expires"] = .string(ISO8601.format(sooner)) }
        if let expires = sooner ?? message.expires {
            again.properties.expiration = expiration(until: expires, now: now)
        }
        return again
    }

    /// The same attempt again, after a start without an outcome: only the count of starts changes.
    /// - Parameters:
    ///   - starts: made so far; 0: none is charged.
    public static func restart(_ delivery: Delivery, _ message: TaskMessage, starts: Int) -> WireMessage {
        var again = delivery.message.withoutBrokerRecords
        again.headers[OwnHeaders.postponed] = nil
        again.headers[OwnHeaders.starts] = starts > 0 ? .int(Int64(starts)) : nil
        return again
    }

    /// Unchanged, to wait in the broker for its eta. The header `expires` goes on being obeyed when it comes back; the
    /// property would end the wait too early.
    public static func postpone(_ delivery: Delivery) -> WireMessage {
        var again = delivery.message.withoutBrokerRecords
        if let expires = again.headers["expires"]?.text, !expires.isEmpty { again.properties.expiration = nil }
        again.headers[OwnHeaders.postponed] = .string("received")
        return again
    }

    /// Marked as one that the broker keeps back, so that the worker that takes it then asks whether it was revoked
    /// meanwhile.
    public static func delayed(_ message: WireMessage) -> WireMessage {
        guard message.headers[OwnHeaders.postponed] == nil else { return message }
        var message = message
        message.headers[OwnHeaders.postponed] = .string("retry")
        return message
    }

    /// Whether it was kept back by a broker: by ours, or on the ladder of Celery's clients.
    public static func wasDelayed(_ message: WireMessage) -> Bool {
        message.headers[OwnHeaders.postponed] != nil
            || message.headers["x-first-death-queue"]?.text?.hasPrefix("celery_delayed_") ?? false
    }

    /// Milliseconds as AMQP wants them; "0" when it is over; nil when it is so far that RabbitMQ would refuse it (49
    /// days): the header says it all the same.
    static func expiration(until expires: WallTime, now: WallTime) -> String? {
        UInt32(exactly: max(0, (expires.microseconds - now.microseconds) / 1000)).map { String($0) }
    }

    private static func asProtocol2(
        _ delivery: Delivery, _ message: TaskMessage, calledWith request: RetryRequest?
    ) -> WireMessage {
        var wire = delivery.message.withoutBrokerRecords
        let replacesArguments = request?.arguments != nil || request?.keywords != nil
        if message.protocolVersion == 2, message.hasListBody, !replacesArguments { return wire }
        if replacesArguments {
            let args = request?.arguments ?? Array(message.body[message.argsRange])
            let kwargs = request?.keywords ?? Array(message.body[message.kwargsRange])
            wire.body = Array("[".utf8) + args + Array(",".utf8) + kwargs + Array(",".utf8)
            wire.body += message.body[message.embedRange] + Array("]".utf8)
            // What the old call looked like would be wrong now.
            wire.headers["argsrepr"] = .string(String(decoding: args, as: UTF8.self))
            wire.headers["kwargsrepr"] = .string(String(decoding: kwargs, as: UTF8.self))
        } else {
            wire.body = message.body
        }
        wire.properties.contentType = ContentType.json.mimeType
        wire.properties.contentEncoding = "utf-8"
        wire.headers[HeaderName.compression] = nil
        let known = TaskHeaderList.of(message)
        for field in known.fields where wire.headers[field.key] == nil { wire.headers[field.key] = field.value }
        return wire
    }
}

/// All headers of protocol 2, in the order Python sends them.
enum TaskHeaderList {
    static func of(_ message: TaskMessage) -> FieldTable {
        [
            "lang": .string("py"), "task": .string(message.name), "id": .string(message.id),
            "shadow": text(message.shadow), "eta": text(message.etaText), "expires": text(message.expiresText),
            "group": text(message.groupID), "group_index": message.groupIndex.map { .int(Int64($0)) } ?? .null,
            "retries": .int(Int64(message.retries)),
            "timelimit": .array([number(message.hardLimit), number(message.softLimit)]),
            "root_id": .string(message.rootID ?? message.id), "parent_id": text(message.parentID),
            "argsrepr": .string(message.argsRepr), "kwargsrepr": .string(message.kwargsRepr),
            "origin": text(message.origin), "ignore_result": message.ignoreResult.map(FieldValue.bool) ?? .null,
            "replaced_task_nesting": .int(Int64(message.replacedTaskNesting)),
            "stamped_headers": message.stampedHeaders.map { .array($0.map(FieldValue.string)) } ?? .null,
            "stamps": .table(message.stamps),
        ]
    }

    private static func text(_ value: String?) -> FieldValue { value.map(FieldValue.string) ?? .null }

    /// Whole seconds as integers, as clients write them.
    private static func number(_ seconds: Double?) -> FieldValue {
        guard let seconds else { return .null }
        return seconds.rounded() == seconds && seconds.magnitude < 1e15 ? .int(Int64(seconds)) : .double(seconds)
    }
}
