// Chords joined in the file: each report is one transaction.
import GroupJoin
public import Ports
import TaskModel

extension SQLiteResults: ChordStore {
    /// How long to wait for the results of a nested header.
    private static let joinSeconds = 3.0
    private static let joinLookSeconds = 0.05
    private static let lookAgainSeconds = 0.5
    private static let looksAtOver = 2

    public func announceChord(
        _ groupID: String, size: Int, savedGroup: [UInt8]?, done: @escaping (StoreFailure?) -> Void
    ) {
        file.submit(.write) { db in
            try ChordRows.announce(groupID, size: size, saved: savedGroup, now: wallTime(), in: db)
        } done: {
            done($0.storeFailure)
        }
    }

    public func returnPart(_ part: ChordPart, done: @escaping (Result<ChordAnswer, StoreFailure>) -> Void) {
        let claim = ChordClaim(groupID: part.groupID, token: UUIDText.random())
        let until = file.loop.clocks.monotonic.advanced(bySeconds: Self.joinSeconds)
        report(part, claim, joinUntil: until, looksAtOver: Self.looksAtOver, done: done)
    }

    public func keepClaim(_ claim: ChordClaim, done: @escaping (Result<Bool, StoreFailure>) -> Void) {
        file.submit(.write) { db in
            try ChordRows.keep(claim.groupID, token: claim.token, now: wallTime(), in: db)
        } done: {
            done($0.mapError(\.asStoreFailure))
        }
    }

    public func finishChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void) { end(claim, done: done) }

    public func failChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void) { end(claim, done: done) }

    public func addToChord(_ groupID: String, done: @escaping (StoreFailure?) -> Void) {
        file.submit(.write) { db in
            try ChordRows.add(to: groupID, now: wallTime(), in: db)
        } done: {
            done($0.storeFailure)
        }
    }

    private func end(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void) {
        file.submit(.write) { db in
            try ChordRows.end(claim.groupID, token: claim.token, in: db)
        } done: {
            done($0.storeFailure)
        }
    }

    /// Repeated while another worker has the claim (it may be dead), or a nested header's results are missing. Also a
    /// little while the chord is over: applied once more, it may be announced after its first member has run.
    private func report(
        _ part: ChordPart, _ claim: ChordClaim, joinUntil: Instant, looksAtOver: Int,
        done: @escaping (Result<ChordAnswer, StoreFailure>) -> Void
    ) {
        let name = "\(part.taskID):\(part.groupIndex.map(String.init) ?? "")"
        let document = part.document
        file.submit(.write) { db in
            try ChordRows.report(
                part.groupID, name: name, place: part.groupIndex, document: document, token: claim.token,
                now: wallTime(), in: db)
        } done: { [self] result in
            let pause: Double
            switch result {
            case .failure(let failure): return done(.failure(failure.asStoreFailure))
            case .success(.waiting): return done(.success(.waiting))
            case .success(.over) where looksAtOver == 0: return done(.success(.waiting))
            case .success(.over): pause = Self.lookAgainSeconds
            case .success(.complete(let parts)): return done(.success(.complete(claim, parts: parts)))
            case .success(.unjoinable(let reason)): return done(.success(.unjoinable(claim, reason: reason)))
            case .success(.claimedElsewhere): pause = Self.lookAgainSeconds
            case .success(.incomplete) where file.loop.clocks.monotonic < joinUntil: pause = Self.joinLookSeconds
            case .success(.incomplete):
                let reason = "The results of the header did not come within \(Self.joinSeconds) s"
                return done(.success(.unjoinable(claim, reason: reason)))
            }
            var looks = looksAtOver
            if case .success(.over) = result { looks -= 1 }
            _ = file.loop.schedule(afterSeconds: pause) { [self, looks] in
                report(part, claim, joinUntil: joinUntil, looksAtOver: looks, done: done)
            }
        }
    }
}
