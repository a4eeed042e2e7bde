// One part on its way into a chord, and what comes of it.
import GroupJoin
import Ports
import TaskModel

/// Reports the part; if that completes the chord and the claim is ours, gathers what the body is to get.
///
/// A chord that is complete while another worker has the claim is looked at again until that worker is done or its
/// claim has run out: else a worker that dies between its claim and the body would leave the chord without one.
///
/// One that is done is looked at again, too: clients that apply a frozen chord once more announce it just before they
/// send its last member, and a quick worker may have run the first one by then.
final class RedisChordReport {
    typealias Done = (Result<ChordAnswer, StoreFailure>) -> Void

    private let part: ChordPart
    private let keys: ChordKeys
    /// Held until the answer is given; each step is called by the store.
    private let store: RedisResults
    private let claim: ChordClaim
    private let done: Done
    private var joinUntil: Instant?
    private var looksAtDone = 0

    private static let lookAgainSeconds = 0.5
    private static let maxLooksAtDone = 2
    private static let joinLookSeconds = 0.05

    init(_ part: ChordPart, keys: ChordKeys, store: RedisResults, done: @escaping Done) {
        self.part = part
        self.keys = keys
        self.store = store
        self.done = done
        let token = UUIDText.random().filter { $0 != "-" }
        claim = ChordClaim(groupID: part.groupID, token: token)
    }

    func send() {
        let options = store.chords
        let document: [UInt8]
        do throws(StoreFailure) {
            document = try store.encoded(part.document)
        } catch {
            return done(.failure(error))
        }
        let words =
            ["EVAL".bytes, ChordScripts.report.bytes, "7".bytes]
            + [keys.parts, keys.extra, keys.size, keys.counted, keys.group, keys.claim, keys.ourClaim]
            + [
                part.taskID.bytes, document, options.isOrdered ? "1".bytes : "0".bytes,
                (part.groupIndex.map(String.init) ?? "+inf").bytes, "\(options.expiresSeconds)".bytes,
                "\(options.groupExpiresSeconds)".bytes, "\(options.claimSeconds)".bytes, claim.token.bytes,
            ]
        then(words) { reply in
            guard let items = reply.items, items.count == 3, let count = items[0].integer,
                let wanted = items[1].integer, let holder = items[2].bytes
            else { return self.done(.failure(StoreFailure("Redis answered a chord's part with something else"))) }
            if count < 0, self.looksAtDone < Self.maxLooksAtDone {
                self.looksAtDone += 1
                return self.after(Self.lookAgainSeconds) { self.send() }
            }
            if count < 0 || count != wanted { return self.done(.success(.waiting)) }
            if holder == self.claim.token.bytes { return self.gather() }
            self.after(Self.lookAgainSeconds) { self.send() }
        }
    }

    private func gather() {
        then(["GET".bytes, keys.group]) { reply in
            if let document = reply.bytes { return self.join(self.store.decoded(document)) }
            let range = self.store.chords.isOrdered ? "ZRANGE" : "LRANGE"
            self.then([range.bytes, self.keys.parts, "0".bytes, "-1".bytes]) { reply in
                self.complete((reply.items ?? []).compactMap { $0.bytes.map(self.store.decoded) })
            }
        }
    }

    /// A header with groups within groups: from the members' own results.
    private func join(_ document: [UInt8]) {
        do throws(SavedGroup.Unreadable) {
            let group = try SavedGroup(document: document)
            joinUntil = joinUntil ?? store.loop.clocks.monotonic.advanced(bySeconds: store.chords.joinSeconds)
            guard !group.taskIDs.isEmpty else { return complete([]) }
            then(["MGET".bytes] + group.taskIDs.map { self.store.key(of: $0).bytes }) { reply in
                var metas: [String: [UInt8]] = [:]
                for (id, item) in zip(group.taskIDs, reply.items ?? []) {
                    metas[id] = item.bytes.map(self.store.decoded)
                }
                self.join(group, metas)
            }
        } catch {
            unjoinable(error.description)
        }
    }

    private func join(_ group: SavedGroup, _ metas: [String: [UInt8]]) {
        do throws(SavedGroup.Unreadable) {
            if let parts = try group.parts(metas) { return complete(parts) }
        } catch {
            return unjoinable(error.description)
        }
        guard let joinUntil, store.loop.clocks.monotonic < joinUntil else {
            return unjoinable("The results of the header did not come within \(store.chords.joinSeconds) s")
        }
        after(Self.joinLookSeconds) { self.gather() }
    }

    private func complete(_ parts: [[UInt8]]) { done(.success(.complete(claim, parts: parts))) }

    private func unjoinable(_ reason: String) { done(.success(.unjoinable(claim, reason: reason))) }

    private func then(_ words: [[UInt8]], _ next: @escaping (RedisReply) -> Void) {
        store.ask(words) { answer in
            switch answer {
            case .success(let reply): next(reply)
            case .failure(let failure): self.done(.failure(failure))
            }
        }
    }

    /// When the store is closed meanwhile, the next question is answered with that.
    private func after(_ seconds: Double, _ step: @escaping () -> Void) {
        _ = store.loop.schedule(afterSeconds: seconds, step)
    }
}
