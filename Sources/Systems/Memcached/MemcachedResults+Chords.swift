// Chords joined in memcached, together with Python workers: one number counts the parts, and the results of the header
// are read from its members' documents (celery-protocol.md §4.8).
import GroupJoin
public import Ports
import TaskModel

extension MemcachedResults: ChordStore {
    public var savesEveryGroup: Bool { true }

    /// Seconds that a claim lasts at first, and from the moment the body is about to be published.
    static let claimSeconds = 6.0
    private static let publishSeconds = 21.0

    public func announceChord(
        _ groupID: String, size: Int, savedGroup: [UInt8]?, done: @escaping (StoreFailure?) -> Void
    ) {
        do throws(StoreFailure) {
            let keys = try MemcachedChordKeys(groupID, in: self)
            guard let savedGroup else { throw StoreFailure("A chord without its group cannot be joined here", .unfit) }
            let document = try encoded(Array(#"{"result": "#.utf8) + savedGroup + Array("}".utf8))
            let members = try members(of: savedGroup)
            let expires = expiry(chordsExpireSeconds)
            // Applied once more, a frozen chord has the same ids: what they were before must not matter.
            let stale = [keys.over, keys.claim, keys.unsure] + members.map(keys.mark)
            inTurn(
                [
                    stale.map { .delete($0) },
                    [.store(.set, keys.counter, Array("0".utf8), expires: expires, version: nil)],
                    [.store(.set, keys.group, document, expires: expires, version: nil)],
                ], done: done)
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(error) }
        }
    }

    public func returnPart(_ part: ChordPart, done: @escaping (Result<ChordAnswer, StoreFailure>) -> Void) {
        do throws(StoreFailure) {
            MemcachedChordReport(part, keys: try MemcachedChordKeys(part.groupID, in: self), store: self, done: done)
                .begin()
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(.failure(error)) }
        }
    }

    public func keepClaim(_ claim: ChordClaim, done: @escaping (Result<Bool, StoreFailure>) -> Void) {
        withKeys(claim.groupID) { [self] keys, failure in
            guard let keys else { return done(.failure(failure)) }
            read([keys.claim, keys.over, keys.group]) { [self] answer in
                guard case .success(let found) = answer else { return done(.failure(answer.failure ?? failure)) }
                let holder = found[keys.claim].map { String(decoding: $0.value, as: UTF8.self) }
                // A group that is gone and over has had its body.
                let isOver = found[keys.group] == nil && found[keys.over] != nil
                if isOver || holder != nil && holder != claim.token { return done(.success(false)) }
                prolong(claim, keys, found[keys.claim]?.version, done)
            }
        }
    }

    private func prolong(
        _ claim: ChordClaim, _ keys: MemcachedChordKeys, _ version: UInt64?,
        _ done: @escaping (Result<Bool, StoreFailure>) -> Void
    ) {
        let token = Array(claim.token.utf8)
        let expires = expiry(Self.publishSeconds)
        askLine(
            .store(version == nil ? .add : .cas, keys.claim, token, expires: expires, version: version)
        ) { [self] answer in
            switch answer {
            case .failure(let failure): done(.failure(failure))
            case .success(let reply) where reply.word == "STORED": done(.success(true))
            // Somebody was quicker; perhaps we were, before the link broke.
            case .success: keepClaim(claim, done: done)
            }
        }
    }

    public func finishChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void) { end(claim, done) }

    public func failChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void) { end(claim, done) }

    /// The group goes first: without it nothing is joined any more, and what is marked or over is no error.
    private func end(_ claim: ChordClaim, _ done: @escaping (StoreFailure?) -> Void) {
        withKeys(claim.groupID) { [self] keys, failure in
            guard let keys else { return done(failure) }
            read([keys.claim, keys.group]) { [self] answer in
                guard case .success(let found) = answer else { return done(answer.failure) }
                let holder = found[keys.claim].map { String(decoding: $0.value, as: UTF8.self) }
                // Another one ends it.
                if holder != nil && holder != claim.token { return done(nil) }
                let marks: [String]
                do throws(StoreFailure) {
                    marks = try found[keys.group].map { item throws(StoreFailure) in try members(of: item.value) } ?? []
                } catch {
                    // No worker could join it, so none has counted by it; what marks there are expire.
                    marks = []
                }
                let over = MemcachedCommand.store(
                    .set, keys.over, Array("1".utf8), expires: expiry(chordsExpireSeconds), version: nil)
                inTurn(
                    [
                        [.delete(keys.group), .delete(keys.counter)], [over],
                        (marks.map(keys.mark) + [keys.unsure]).map { .delete($0) }, [.delete(keys.claim)],
                    ], done: done)
            }
        }
    }

    /// The group is saved before its first message is sent, by its sender.
    public func addToChord(_ groupID: String, done: @escaping (StoreFailure?) -> Void) {
        _ = loop.schedule(afterSeconds: 0) {
            done(
                StoreFailure(
                    "A chord that is joined in memcached takes no more members: Celery counts it by the group that was saved",
                    .unfit, fix: "Use Redis, or no add_to_chord"))
        }
    }

    private func members(of group: [UInt8]) throws(StoreFailure) -> [String] {
        do throws(SavedGroup.Unreadable) {
            return try SavedGroup(document: decoded(group)).taskIDs
        } catch {
            throw StoreFailure(error.description, .unfit)
        }
    }

    /// - Parameter next: called with keys, or without them in a later turn.
    private func withKeys(_ groupID: String, _ next: @escaping (MemcachedChordKeys?, StoreFailure) -> Void) {
        let none = StoreFailure("The chord has no keys")
        do throws(StoreFailure) {
            next(try MemcachedChordKeys(groupID, in: self), none)
        } catch {
            _ = loop.schedule(afterSeconds: 0) { next(nil, error) }
        }
    }

    /// Each list when the one before it is done.
    func inTurn(_ steps: [[MemcachedCommand]], done: @escaping (StoreFailure?) -> Void) {
        guard let first = steps.first else { return done(nil) }
        change(first) { [self] failure in
            if let failure { return done(failure) }
            inTurn(Array(steps.dropFirst()), done: done)
        }
    }

    /// On the server of its key.
    func askLine(
        _ command: MemcachedCommand, done: @escaping (Result<MemcachedReply, StoreFailure>) -> Void
    ) {
        do throws(StoreFailure) {
            try line(of: command.key).ask(command, done: done)
        } catch {
            _ = loop.schedule(afterSeconds: 0) { done(.failure(error)) }
        }
    }
}
