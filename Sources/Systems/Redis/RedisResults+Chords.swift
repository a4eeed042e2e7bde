// Chords joined in Redis, together with Python workers (celery-protocol.md §4.5).
public import Ports
import TaskModel

extension RedisResults: ChordStore {
    public func announceChord(
        _ groupID: String, size: Int, savedGroup: [UInt8]?, done: @escaping (StoreFailure?) -> Void
    ) {
        let keys = ChordKeys(groupID, in: self)
        var steps: [[[UInt8]]] = []
        if let savedGroup {
            let document = Array(#"{"result": "#.utf8) + savedGroup + Array("}".utf8)
            steps.append(["SET".bytes, keys.group, document] + expiry(chords.groupExpiresSeconds))
        }
        // Applied once more, a frozen chord has the same id: what it was before must not matter.
        steps.append(["DEL".bytes, keys.claim, keys.ourClaim])
        steps.append(["SET".bytes, keys.size, "\(size)".bytes] + expiry(chords.expiresSeconds))
        askInTurn(steps[...], done: done)
    }

    public func returnPart(_ part: ChordPart, done: @escaping (Result<ChordAnswer, StoreFailure>) -> Void) {
        RedisChordReport(part, keys: ChordKeys(part.groupID, in: self), store: self, done: done).send()
    }

    public func keepClaim(_ claim: ChordClaim, done: @escaping (Result<Bool, StoreFailure>) -> Void) {
        let keys = ChordKeys(claim.groupID, in: self)
        run(ChordScripts.keep, [keys.claim, keys.ourClaim, keys.size], [claim.token, "\(chords.publishSeconds)"]) {
            answer in
            done(answer.map { $0.integer == 1 })
        }
    }

    public func finishChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void) {
        let keys = ChordKeys(claim.groupID, in: self)
        run(
            ChordScripts.finish, [keys.claim, keys.ourClaim, keys.parts, keys.extra, keys.size, keys.counted],
            [claim.token, "\(chords.doneSeconds)"]
        ) { done($0.failure) }
    }

    /// The parts stay until they expire, as with Python workers.
    public func failChord(_ claim: ChordClaim, done: @escaping (StoreFailure?) -> Void) {
        ask(["DEL".bytes, ChordKeys(claim.groupID, in: self).size]) { done($0.failure) }
    }

    public func addToChord(_ groupID: String, done: @escaping (StoreFailure?) -> Void) {
        ask(["INCR".bytes, ChordKeys(groupID, in: self).extra]) { done($0.failure) }
    }

    func run(
        _ script: String, _ keys: [[UInt8]], _ arguments: [String],
        done: @escaping (Result<RedisReply, StoreFailure>) -> Void
    ) {
        ask(["EVAL".bytes, script.bytes, "\(keys.count)".bytes] + keys + arguments.map(\.bytes), done: done)
    }

    private func expiry(_ seconds: Int) -> [[UInt8]] { seconds > 0 ? ["EX".bytes, "\(seconds)".bytes] : [] }

    private func askInTurn(_ steps: ArraySlice<[[UInt8]]>, done: @escaping (StoreFailure?) -> Void) {
        guard let first = steps.first else { return done(nil) }
        ask(first) { [weak self] answer in
            guard let self, answer.failure == nil else {
                return done(answer.failure ?? StoreFailure("The result store was closed"))
            }
            askInTurn(steps.dropFirst(), done: done)
        }
    }
}

/// The keys of one chord.
struct ChordKeys {
    let group, parts, extra, size, counted, claim: [UInt8]
    /// Ours alone: Python workers do not know it (see ChordScripts).
    let ourClaim: [UInt8]

    init(_ groupID: String, in store: RedisResults) {
        let name = "\(store.address.effectivePrefix)celery-taskset-meta-\(groupID)"
        group = name.bytes
        parts = "\(name).j".bytes
        extra = "\(name).t".bytes
        size = "\(name).s".bytes
        counted = "\(name).d".bytes
        claim = "\(name).c".bytes
        ourClaim = "\(name).taskhost".bytes
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

extension Result where Failure == StoreFailure {
    var failure: StoreFailure? { if case .failure(let failure) = self { failure } else { nil } }
}

extension RedisReply {
    var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    var bytes: [UInt8]? { if case .bytes(let value) = self { value } else { nil } }
    var items: [RedisReply]? { if case .array(let items) = self { items } else { nil } }
}
