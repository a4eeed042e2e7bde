// One part on its way into a chord that memcached counts, and what comes of it.
import GroupJoin
import Ports
import TaskModel

/// Celery has one number for a chord: each part adds 1, and who gets the size of the group joins it. Adding is not to be
/// repeated, and a message may be: so a mark beside it says that a part is about to be counted, and then as which number.
/// Reported again, it is not counted again; the one that completed the chord still does.
///
/// A host that dies between mark and number leaves both in doubt. Then, or when memcached has dropped the number, the
/// documents decide: the chord is complete when all of them are there.
final class MemcachedChordReport {
    typealias Done = (Result<ChordAnswer, StoreFailure>) -> Void

    private let part: ChordPart
    private let keys: MemcachedChordKeys
    /// Held until the answer is given.
    private let store: MemcachedResults
    private let claim: ChordClaim
    private let done: Done
    private var joinUntil: Instant?
    /// Another report's mark, and since when it has been seen unchanged.
    private var begun: (token: String, since: Instant)?

    private static let lookAgainSeconds = 0.5
    private static let joinSeconds = 3.0
    private static let joinLookSeconds = 0.05

    init(_ part: ChordPart, keys: MemcachedChordKeys, store: MemcachedResults, done: @escaping Done) {
        self.part = part
        self.keys = keys
        self.store = store
        self.done = done
        claim = ChordClaim(groupID: part.groupID, token: UUIDText.random())
    }

    func begin() {
        let mark = keys.mark(of: part.taskID)
        store.read([mark, keys.group, keys.over, keys.unsure]) { [self] answer in
            guard case .success(let found) = answer else { return fail(answer.failure) }
            guard let document = found[keys.group]?.value else {
                // A part that was counted, or of a chord that is over, is late, and no error.
                let isLate = found[keys.over] != nil || found[mark].flatMap { keys.mark($0.value) } != nil
                if isLate { return done(.success(.waiting)) }
                return take(.unjoinable(claim, reason: "GroupResult \(part.groupID) no longer exists"))
            }
            do throws(SavedGroup.Unreadable) {
                let group = try SavedGroup(document: store.decoded(document))
                marked(found[mark], group, isUnsure: found[keys.unsure] != nil)
            } catch {
                take(.unjoinable(claim, reason: error.description))
            }
        }
    }

    private func marked(_ item: MemcachedReply.Item?, _ group: SavedGroup, isUnsure: Bool) {
        switch item.flatMap({ keys.mark($0.value) }) {
        case nil: mark(over: item) { self.count(group, isUnsure: isUnsure) }
        case .counted(let number)?: counted(isUnsure ? nil : number, group)
        case .begun(let token)?:
            let now = store.loop.clocks.monotonic
            if begun?.token != token { begun = (token, now) }
            // Whoever counts it does so at once, or is dead.
            if let since = begun?.since, now.seconds(since: since) < MemcachedResults.claimSeconds {
                return after(Self.lookAgainSeconds) { self.begin() }
            }
            mark(over: item) { self.doubt(group) }
        }
    }

    /// Says that we are about to count the part; if somebody else says so first, begins again.
    private func mark(over item: MemcachedReply.Item?, _ next: @escaping () -> Void) {
        let value = keys.value(.begun(token: claim.token))
        let command = MemcachedCommand.store(
            item == nil ? .add : .cas, keys.mark(of: part.taskID), value,
            expires: store.expiry(store.chordsExpireSeconds), version: item?.version)
        then(command) { [self] reply in
            if reply.word == "STORED" { return next() }
            // It may be ours: sent again after a loss of the link.
            store.read([keys.mark(of: part.taskID)]) { [self] answer in
                guard case .success(let found) = answer else { return fail(answer.failure) }
                if found.values.first?.value == value { next() } else { begin() }
            }
        }
    }

    private func count(_ group: SavedGroup, isUnsure: Bool) {
        do throws(StoreFailure) {
            try store.line(of: keys.counter).askOnce(.increment(keys.counter)) { [self] answer in
                guard let answer else { return doubt(group) }
                guard case .success(let reply) = answer else { return fail(answer.failure) }
                let number = reply.word.flatMap { Int($0) }
                remember(number) { self.counted(isUnsure ? nil : number, group) }
            }
        } catch {
            fail(error)
        }
    }

    /// Nobody knows whether it was counted: from now on all who report look at the documents.
    private func doubt(_ group: SavedGroup) {
        let flag = MemcachedCommand.store(
            .set, keys.unsure, Array("1".utf8), expires: store.expiry(store.chordsExpireSeconds), version: nil)
        then(flag) { [self] _ in remember(nil) { self.counted(nil, group) } }
    }

    private func remember(_ number: Int?, _ next: @escaping () -> Void) {
        let command = MemcachedCommand.store(
            .set, keys.mark(of: part.taskID), keys.value(.counted(number)),
            expires: store.expiry(store.chordsExpireSeconds), version: nil)
        then(command) { _ in next() }
    }

    /// - Parameter number: nil: the number says nothing.
    private func counted(_ number: Int?, _ group: SavedGroup) {
        if let number, number != group.taskIDs.count { return wait() }
        let until = joinUntil ?? store.loop.clocks.monotonic.advanced(bySeconds: Self.joinSeconds)
        joinUntil = until
        store.read(group.taskIDs.map(store.taskKey)) { [self] answer in
            guard case .success(let found) = answer else { return fail(answer.failure) }
            var metas: [String: [UInt8]] = [:]
            for id in group.taskIDs { metas[id] = found[store.taskKey(id)].map { store.decoded($0.value) } }
            do throws(SavedGroup.Unreadable) {
                if let parts = try group.parts(metas) { return take(.complete(claim, parts: parts)) }
            } catch {
                return take(.unjoinable(claim, reason: error.description))
            }
            // Those that are missing report themselves.
            if number == nil { return wait() }
            guard store.loop.clocks.monotonic < until else {
                let reason = "The results of the header did not come within \(Self.joinSeconds) s"
                return take(.unjoinable(claim, reason: reason))
            }
            after(Self.joinLookSeconds) { self.counted(number, group) }
        }
    }

    /// Prolongs what the last part will need, as Celery does.
    private func wait() {
        let expires = store.expiry(store.chordsExpireSeconds)
        let needed = [keys.counter, keys.group, store.taskKey(part.taskID)]
        store.change(needed.map { .touch($0, expires: expires) }) { [self] failure in
            if let failure { fail(failure) } else { done(.success(.waiting)) }
        }
    }

    /// Of workers that see the chord complete one has the claim; another one looks again until that one is done, or has
    /// let its claim run out.
    private func take(_ answer: ChordAnswer) {
        let token = Array(claim.token.utf8)
        let command = MemcachedCommand.store(
            .add, keys.claim, token, expires: store.expiry(MemcachedResults.claimSeconds), version: nil)
        then(command) { [self] reply in
            if reply.word == "STORED" { return done(.success(answer)) }
            store.read([keys.claim]) { [self] found in
                guard case .success(let items) = found else { return fail(found.failure) }
                // Ours: sent again after a loss of the link.
                if items[keys.claim]?.value == token { return done(.success(answer)) }
                after(Self.lookAgainSeconds) { self.begin() }
            }
        }
    }

    private func then(_ command: MemcachedCommand, _ next: @escaping (MemcachedReply) -> Void) {
        store.askLine(command) { [self] answer in
            switch answer {
            case .success(let reply): next(reply)
            case .failure(let failure): fail(failure)
            }
        }
    }

    private func fail(_ failure: StoreFailure?) {
        done(.failure(failure ?? StoreFailure("memcached answered a chord's part with something else")))
    }

    /// When the store is closed meanwhile, the next question is answered with that.
    private func after(_ seconds: Double, _ step: @escaping () -> Void) {
        _ = store.loop.schedule(afterSeconds: seconds, step)
    }
}
