// One worker's view of one chord.
import Foundation
import Ports
import TaskModel
import TestKit
import Testing

final class ChordClient {
    final class Answer {
        var value: Result<ChordAnswer, StoreFailure>?

        var claim: ChordClaim? { if case .success(.complete(let claim, _))? = value { claim } else { nil } }
    }

    let id: String
    private let client: StoreClient
    private let store: any ChordStore
    private let suffix: String

    /// - Parameter namesTasks: tasks are called by the names that the test gives them; their ids are made of these.
    init(_ client: StoreClient, _ id: String, namesTasks: Bool = false) throws {
        self.client = client
        self.id = id
        suffix = namesTasks ? "@\(id)" : ""
        store = try #require(client.store as? any ChordStore)
    }

    func taskID(_ name: String) -> String { name + suffix }

    /// - Parameter saved: of a header with groups within groups.
    func announce(_ members: [String], saved: String? = nil) throws {
        let tuples = members.map { #"[["\#(taskID($0))", null], null]"# }.joined(separator: ", ")
        let group = saved ?? (store.savesEveryGroup ? #"[["\#(id)", null], [\#(tuples)]]"# : nil)
        try perform("the announcement") { done in
            store.announceChord(id, size: members.count, savedGroup: group.map { [UInt8]($0.utf8) }, done: done)
        }
    }

    /// After its document, which some stores join from.
    func report(
        _ task: String, _ index: Int?, _ value: String, _ state: TaskState = .success, isStored: Bool = true
    ) -> Answer {
        let answer = Answer()
        let part = ChordPart(
            groupID: id, groupIndex: index, taskID: taskID(task), state: state, value: [UInt8](value.utf8))
        let report = { [store] in store.returnPart(part) { answer.value = $0 } }
        guard store.savesEveryGroup, isStored else {
            report()
            return answer
        }
        let document = #"{"status": "\#(state)", "result": \#(value), "traceback": null, "children": []}"#
        let record = ResultRecord(
            taskID: part.taskID, state: state, meta: [UInt8](document.utf8), replyTo: nil, correlationID: nil,
            expiresAfterSeconds: 60)
        store.store(record) { failure in
            if let failure { answer.value = .failure(failure) } else { report() }
        }
        return answer
    }

    func expectWaiting(_ answer: Answer, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try client.wait("the answer") { answer.value != nil }
        if case .success(.waiting)? = answer.value { return }
        Issue.record("answered \(String(describing: answer.value))", sourceLocation: sourceLocation)
    }

    /// The parts without the blanks that JSON may have.
    func expectComplete(_ answer: Answer) throws -> (ChordClaim, [String]) {
        try client.wait("the answer") { answer.value != nil }
        guard case .complete(let claim, let parts)? = try answer.value?.get() else {
            throw TooLate(what: "completion; answered \(String(describing: answer.value))")
        }
        return (
            claim,
            parts.map {
                String(decoding: $0, as: UTF8.self).replacingOccurrences(of: ", ", with: ",")
                    .replacingOccurrences(of: "\(suffix)\"", with: "\"")
            }
        )
    }

    func keep(_ claim: ChordClaim) throws -> Bool {
        var answer: Result<Bool, StoreFailure>?
        store.keepClaim(claim) { answer = $0 }
        try client.wait("the claim") { answer != nil }
        return try answer?.get() ?? false
    }

    func finish(_ claim: ChordClaim) throws {
        try perform("the end") { store.finishChord(claim, done: $0) }
    }

    func fail(_ claim: ChordClaim) throws {
        try perform("the failure") { store.failChord(claim, done: $0) }
    }

    func add() throws {
        try perform("one member more") { store.addToChord(id, done: $0) }
    }

    private func perform(_ what: String, _ step: (@escaping (StoreFailure?) -> Void) -> Void) throws {
        var outcome: StoreFailure??
        step { outcome = .some($0) }
        try client.wait(what) { outcome != nil }
        if let failure = outcome ?? nil { throw failure }
    }
}
