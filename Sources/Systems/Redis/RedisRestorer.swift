// Puts messages back to the front of their queues: rejected ones, ours at a stop, and those of hosts that are gone.
import Ports
import TaskModel

/// Belongs to the loop's thread. A message goes back in one atomic step, and only if it is still held by that tag.
final class RedisRestorer {
    private struct Item {
        var tag: String
        var entry: RedisTaken.Entry
        var queue: String
        /// It had started when its host was gone.
        var isLostStart: Bool
    }

    private struct Found {
        var tag: String
        var entry: [UInt8]
        var isLostStart = false
    }

    private let line: RedisLine
    private let keys: RedisQueueKeys
    private let visibilitySeconds: Double
    private let leaseSeconds: Double
    /// Where in the index the next sweep looks for unknown hosts.
    private var offset: Int64 = 0
    private static let sweepLimit = 50

    init(line: RedisLine, keys: RedisQueueKeys, visibilitySeconds: Double, leaseSeconds: Double) {
        self.line = line
        self.keys = keys
        self.visibilitySeconds = visibilitySeconds
        self.leaseSeconds = leaseSeconds
    }

    /// In the order given, each to the very front. `done` with why some of them could not go back; they still are where
    /// they were, and doing it again harms none.
    func restore(_ tags: [String], done: @escaping (StoreFailure?) -> Void) {
        line.ask((["HMGET", keys.unacked] + tags).map(\.bytes)) { [weak self] answer in
            guard let self, case .success(let reply) = answer else { return done(answer.failure) }
            let found = zip(tags, reply.items ?? []).compactMap { tag, item in
                item.bytes.map { Found(tag: tag, entry: $0) }
            }
            put(found, token: "", done: done)
        }
    }

    /// Looks for messages whose lease was not renewed, and for what hosts held whose lease is over. `done` with why
    /// these could not be found or not go back; the next sweep finds them.
    func sweep(done: @escaping (StoreFailure?) -> Void) {
        let names = [keys.unacked, keys.index, keys.hosts, keys.mutex, keys.starts, keys.served]
        let token = UUIDText.random()
        let arguments = [
            "\(visibilitySeconds)", "\(Self.sweepLimit)", token, RedisConsumer.tagStart, keys.lost(""),
            "\(leaseSeconds)", "\(offset)",
        ]
        line.ask((["EVAL", BrokerScripts.sweep, "\(names.count)"] + names + arguments).map(\.bytes)) {
            [weak self] answer in
            guard let self, case .success(let reply) = answer else { return done(answer.failure) }
            guard let items = reply.items, let first = items.first else { return done(nil) }
            offset = first.integer ?? 0
            let found = stride(from: 1, to: items.count - 2, by: 3).compactMap { base -> Found? in
                guard let tag = items[base].bytes, let entry = items[base + 1].bytes else { return nil }
                return Found(
                    tag: String(decoding: tag, as: UTF8.self), entry: entry, isLostStart: items[base + 2].integer == 1)
            }
            guard !found.isEmpty else { return done(nil) }
            // The oldest were found first; the last to go to the front is the first to be served.
            put(found.reversed(), token: token) { [weak self] failure in
                guard let self, failure == nil, found.count == Self.sweepLimit else { return done(failure) }
                sweep(done: done)
            }
        }
    }

    private func put(_ found: [Found], token: String, done: @escaping (StoreFailure?) -> Void) {
        var items: [Item] = []
        for item in found {
            if let entry = RedisTaken.Entry(item.entry) {
                items.append(
                    Item(tag: item.tag, entry: entry, queue: entry.routingKey, isLostStart: item.isLostStart))
            } else {
                // Its queue is unknown: left to be looked at, out of the way of the others.
                line.sendBestEffort(
                    ["ZADD", keys.index, "XX", "+inf", item.tag].map(\.bytes), because: "the next sweep finds it again")
            }
        }
        route(items, from: 0, token: token, done: done)
    }

    /// Finds out the queues of each item, one after the other; almost all need no question.
    private func route(_ items: [Item], from first: Int, token: String, done: @escaping (StoreFailure?) -> Void) {
        var items = items
        for index in first..<items.count {
            let entry = items[index].entry
            guard !entry.exchange.isEmpty else { continue }
            line.ask(["SMEMBERS".bytes, keys.bindings(entry.exchange).bytes]) { [weak self] answer in
                guard let self, case .success(let reply) = answer else { return done(answer.failure) }
                let found = RedisQueueKeys.queues(reply.texts, routingKey: entry.routingKey)
                // Bound to several queues, each had an envelope of its own from the beginning; one goes back.
                items[index].queue = found.first ?? entry.routingKey
                self.route(items, from: index + 1, token: token, done: done)
            }
            return
        }
        send(items, token: token, done: done)
    }

    private func send(_ items: [Item], token: String, done: @escaping (StoreFailure?) -> Void) {
        var lists: [String] = []
        var arguments: [[UInt8]] = [token.bytes]
        for item in items {
            let list = keys.list(item.queue, step: RedisEnvelope.step(of: item.entry.envelope))
            let place = lists.firstIndex(of: list) ?? lists.count
            if place == lists.count { lists.append(list) }
            let envelope = RedisEnvelope.marked(item.entry.envelope, isLostStart: item.isLostStart)
            arguments += [item.tag.bytes, "\(place + 1)".bytes, envelope]
        }
        let names = [keys.unacked, keys.index, keys.mutex] + lists
        let words = ["EVAL", BrokerScripts.restore, "\(names.count)"] + names
        line.ask(words.map(\.bytes) + arguments) { done($0.failure) }
    }
}

extension RedisReply {
    var texts: [String] { (items ?? []).compactMap { $0.bytes.map { String(decoding: $0, as: UTF8.self) } } }
}
