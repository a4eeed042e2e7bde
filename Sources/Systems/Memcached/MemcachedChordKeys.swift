// The keys of a chord: Celery's own, and those by which we count each part once and publish a body once.
import Ports

struct MemcachedChordKeys {
    /// Celery's: how many parts are in.
    let counter: String
    /// Celery's: `{"result": <group tuple>}`.
    let group: String
    /// Who publishes the body: a token.
    let claim: String
    /// The body is published, or the chord has failed.
    let over: String
    /// A part may or may not have been counted: its reporter looks at the documents.
    let unsure: String
    private let prefix: String
    private let groupID: String

    /// - Throws: `unfit`: memcached takes no such keys.
    init(_ groupID: String, in store: MemcachedResults) throws(StoreFailure) {
        prefix = store.address.effectivePrefix
        self.groupID = groupID
        counter = try store.key("chord-unlock-", groupID)
        group = try store.key("celery-taskset-meta-", groupID)
        claim = try store.key("taskhost-chord-claim-", groupID)
        over = try store.key("taskhost-chord-over-", groupID)
        unsure = try store.key("taskhost-chord-unsure-", groupID)
    }

    /// What has become of one part. By the id of its task alone: with that of the group beside it a key could be too long.
    func mark(of taskID: String) -> String { "\(prefix)taskhost-chord-part-\(taskID)" }

    /// The value of a mark; it names the group, since a task may be put into another chord.
    enum Mark: Equatable {
        /// Somebody is about to count it.
        case begun(token: String)
        /// It is counted, as the number that Celery's counter had then; nil: there was no counter, or nobody knows.
        case counted(Int?)
    }

    func value(_ mark: Mark) -> [UInt8] {
        switch mark {
        case .begun(let token): Array("\(groupID) begun \(token)".utf8)
        case .counted(let number): Array("\(groupID) counted \(number.map(String.init) ?? "-")".utf8)
        }
    }

    /// nil: of another chord.
    func mark(_ value: [UInt8]) -> Mark? {
        let words = String(decoding: value, as: UTF8.self).split(separator: " ")
        guard words.count == 3, words[0] == groupID else { return nil }
        return words[1] == "begun" ? .begun(token: String(words[2])) : .counted(Int(words[2]))
    }
}
