// What was published on a channel and not confirmed yet.

/// A publication on its way. `id` is how the loop's side knows it.
struct Pending<Payload> {
    var id: UInt64
    var payload: Payload
    var size: Int
    /// Published a second time after its queue was declared again.
    var isSecondTry = false
    /// How often the broker closed the connection by an error while it alone was on the wire.
    var closings = 0
    /// The broker found no queue for it and said so in these words; its ack follows.
    var returnText: String?
}

/// Publishing numbers of a channel count 1, 2, 3, … in the order of publishing.
struct Unconfirmed<Payload> {
    private var entries = [Pending<Payload>?]()
    private var head = 0
    /// The number of `entries[head]`.
    private var base: UInt64 = 1
    private(set) var count = 0
    private(set) var bytes = 0

    mutating func append(_ pending: Pending<Payload>) {
        entries.append(pending)
        count += 1
        bytes += pending.size
    }

    /// Those the broker speaks of: the number itself, or all up to it.
    mutating func take(_ number: UInt64, multiple: Bool, _ each: (Pending<Payload>) -> Void) {
        let last = base + UInt64(entries.count - head)
        guard number >= base, number < last else { return }
        let end = head + Int(number - base)
        for index in (multiple ? head : end)...end {
            guard let pending = entries[index] else { continue }
            entries[index] = nil
            count -= 1
            bytes -= pending.size
            each(pending)
        }
        while head < entries.count, entries[head] == nil {
            head += 1
            base += 1
        }
        if head > 256, head > entries.count / 2 {
            entries.removeFirst(head)
            head = 0
        }
    }

    /// Marks the oldest one that fits and is not marked yet.
    mutating func markReturned(_ text: String, where fits: (Payload) -> Bool) {
        for index in head..<entries.count {
            if let pending = entries[index], pending.returnText == nil, fits(pending.payload) {
                entries[index]?.returnText = text
                return
            }
        }
    }

    /// So often the broker may close the connection by an error while one publication is alone on the wire.
    static var closingsAllowed: Int { 3 }

    /// The connection is gone: what is to be sent again over another, in order, and what never is.
    mutating func abandon(byBrokersError: Bool) -> (again: [Pending<Payload>], givenUp: Pending<Payload>?) {
        var items = drain()
        for index in items.indices { items[index].returnText = nil }
        guard byBrokersError, items.count == 1 else { return (items, nil) }
        items[0].closings += 1
        return items[0].closings < Self.closingsAllowed ? (items, nil) : ([], items[0])
    }

    /// All of them in order; the channel is gone, numbers begin again.
    mutating func drain() -> [Pending<Payload>] {
        let all = entries[head...].compactMap { $0 }
        self = Unconfirmed()
        return all
    }
}
