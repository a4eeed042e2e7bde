// Puts messages back to the front of their queues: rejected ones, ours at a stop, and those of hosts that are gone.
import Foundation
import Ports
import TaskModel

/// Belongs to the loop's thread. A message goes back in one atomic step, and only if it is still held by that tag.
final class RedisRestorer {
    private struct Item {
        var tag: String
        var entry: RedisTaken.Entry
        var queue: String
    }

    private let line: RedisLine
    private let keys: RedisQueueKeys
    private let visibilitySeconds: Double
    private static let sweepLimit = 50

    init(line: RedisLine, keys: RedisQueueKeys, visibilitySeconds: Double) {
        self.line = line
        self.keys = keys
        self.visibilitySeconds = visibilitySeconds
    }

    /// In the order given, each to the very front.
    func restore(_ tags: [String], done: @escaping () -> Void) {
        line.ask((["HMGET", keys.unacked] + tags).map(\.bytes)) { [weak self] answer in
            // A failure here is final (access refused, closed): our lease runs out, or the visibility time-out.
            guard let self, case .success(let reply) = answer else { return done() }
            let entries = zip(tags, reply.items ?? []).map { ($0, $1.bytes) }
            put(entries.compactMap { tag, entry in entry.map { (tag, $0) } }, token: "", done: done)
        }
    }

    /// Looks for messages that nobody has renewed, and for what hosts held whose lease is over.
    func sweep() {
        let names = [keys.unacked, keys.index, keys.hosts, keys.mutex]
        let token = UUID().uuidString.lowercased()
        let arguments = [
            "\(visibilitySeconds)", "\(Self.sweepLimit)", token, RedisDesk.tagStart, keys.lost(""),
        ]
        line.ask((["EVAL", BrokerScripts.sweep, "\(names.count)"] + names + arguments).map(\.bytes)) {
            [weak self] answer in
            guard let self, case .success(let reply) = answer, let items = reply.items, !items.isEmpty else { return }
            let found = stride(from: 0, to: items.count - 1, by: 2).compactMap { base -> (String, [UInt8])? in
                guard let tag = items[base].bytes, let entry = items[base + 1].bytes else { return nil }
                return (String(decoding: tag, as: UTF8.self), entry)
            }
            // The oldest were found first; the last to go to the front is the first to be served.
            put(found.reversed(), token: token) { [weak self] in
                if found.count == Self.sweepLimit { self?.sweep() }
            }
        }
    }

    private func put(_ entries: [(String, [UInt8])], token: String, done: @escaping () -> Void) {
        var items: [Item] = []
        for (tag, bytes) in entries {
            if let entry = RedisTaken.Entry(bytes) {
                items.append(Item(tag: tag, entry: entry, queue: entry.routingKey))
            } else {
                // Nobody can say where it belongs: left to be looked at, out of the way of the others.
                line.ask(["ZREM".bytes, keys.index.bytes, tag.bytes]) { _ in }
            }
        }
        route(items, from: 0, token: token, done: done)
    }

    /// Finds out the queues of each item, one after the other; almost all need no question.
    private func route(_ items: [Item], from first: Int, token: String, done: @escaping () -> Void) {
        var items = items
        for index in first..<items.count {
            let entry = items[index].entry
            guard !entry.exchange.isEmpty else { continue }
            line.ask(["SMEMBERS".bytes, keys.bindings(entry.exchange).bytes]) { [weak self] answer in
                guard let self, case .success(let reply) = answer else { return done() }
                let found = RedisQueueKeys.queues(reply.texts, routingKey: entry.routingKey)
                // Bound to several queues, each had an envelope of its own from the beginning; one goes back.
                items[index].queue = found.first ?? entry.routingKey
                self.route(items, from: index + 1, token: token, done: done)
            }
            return
        }
        send(items, token: token, done: done)
    }

    private func send(_ items: [Item], token: String, done: @escaping () -> Void) {
        var lists: [String] = []
        var arguments: [[UInt8]] = [token.bytes]
        for item in items {
            let list = keys.list(item.queue, step: RedisEnvelope.step(of: item.entry.envelope))
            let place = lists.firstIndex(of: list) ?? lists.count
            if place == lists.count { lists.append(list) }
            arguments += [item.tag.bytes, "\(place + 1)".bytes, RedisEnvelope.marked(item.entry.envelope)]
        }
        let names = [keys.unacked, keys.index, keys.mutex] + lists
        let words = ["EVAL", BrokerScripts.restore, "\(names.count)"] + names
        line.ask(words.map(\.bytes) + arguments) { _ in done() }
    }
}

extension RedisReply {
    var texts: [String] { (items ?? []).compactMap { $0.bytes.map { String(decoding: $0, as: UTF8.self) } } }
}
