// `celery.chord_unlock`: sent with a chord by clients whose own result backend cannot count its parts
// (celery-protocol.md §4.10). It looks at the header's results until all are there, then calls the body, or fails it.
import Canvas
import CeleryWire
import GroupJoin
import Ports
import TaskModel
import TaskhostJSON

/// One look at the results of a header, one after the other; it ends at the first that is not there.
struct ChordUnlock {
    /// Seconds between two looks (`result_chord_retry_interval`), if the message names none; and the least.
    static let interval = 1.0
    /// The longest pause that they grow to, unless the message names a longer one.
    static let longest = 30.0

    let groupID: String
    let body: JSON
    let again: RetryRequest
    let header: SavedGroup
    /// Documents by task id.
    var metas: [String: [UInt8]] = [:]
    /// Index of the member that is asked for.
    var asked = 0

    /// - Parameter looks: made so far.
    init(_ call: Builtin.Call, looks: Int) throws(CanvasError) {
        guard let group = call.given(0, "group_id")?.text, let body = call.given(1, "callback") else {
            throw CanvasError("celery.chord_unlock needs 'group_id' and 'callback'")
        }
        groupID = group
        self.body = body
        let interval = max(Self.interval, call.given(2, "interval")?.number ?? Self.interval)
        // After a long wait a few seconds more do not matter.
        let grown = min(max(interval, Self.longest), interval * (1 + Double(looks) / 20))
        again = RetryRequest(
            countdown: grown,
            maxRetries: call.given(3, "max_retries")?.integer.map { .atMost(Int(clamping: $0)) } ?? .unlimited)
        let members = JSON.array(try call.list(4, "result"))
        do throws(SavedGroup.Unreadable) {
            header = try SavedGroup(document: JSON.array([[.string(group), nil], members]).bytes)
        } catch {
            throw CanvasError(error.description)
        }
    }
}

extension EngineCore {
    mutating func beginUnlock(
        _ item: InFlight, _ call: Builtin.Call, _ actions: inout [EngineAction]
    ) throws(CanvasError) {
        let unlock = try ChordUnlock(call, looks: item.message.retries)
        // It has no result of its own.
        item.policy.ignoreResult = true
        guard keepsResults else {
            let reason = "this worker keeps no results to join: use one that keeps them as its result backend"
            return endUnlock(item, chordErrorSteps(unlock.groupID, unlock.body, reason, nil, nil, item), &actions)
        }
        item.phase = .waiting(for: .chordMembers(unlock))
        lookAtNext(item, unlock, &actions)
    }

    mutating func lookedAtMember(
        _ item: InFlight, _ looked: ChordUnlock, _ document: [UInt8]?, _ actions: inout [EngineAction]
    ) {
        var unlock = looked
        guard let document, ReceivedMeta(trusting: document)?.isFinal == true else {
            return lookAgainLater(item, unlock, &actions)
        }
        unlock.metas[unlock.header.taskIDs[unlock.asked]] = document
        unlock.asked += 1
        item.phase = .waiting(for: .chordMembers(unlock))
        lookAtNext(item, unlock, &actions)
    }

    private mutating func lookAtNext(_ item: InFlight, _ unlock: ChordUnlock, _ actions: inout [EngineAction]) {
        if unlock.asked < unlock.header.taskIDs.count {
            let id = unlock.header.taskIDs[unlock.asked]
            return actions.append(.lookUp(id, Receipt(task: item.id, purpose: .member)))
        }
        do throws(SavedGroup.Unreadable) {
            guard let parts = try unlock.header.parts(unlock.metas) else {
                return lookAgainLater(item, unlock, &actions)
            }
            endUnlock(item, bodySteps(unlock.groupID, unlock.body, parts, nil, item), &actions)
        } catch {
            let steps = chordErrorSteps(unlock.groupID, unlock.body, "Join error: \(error)", nil, nil, item)
            endUnlock(item, steps, &actions)
        }
    }

    private mutating func lookAgainLater(_ item: InFlight, _ unlock: ChordUnlock, _ actions: inout [EngineAction]) {
        let report = RunReport(outcome: .retry(unlock.again))
        let verdict = Verdict(on: report, of: item, using: &random)
        guard case .fail(let failure, _) = verdict else { return judge(verdict, on: report, of: item, &actions) }
        // This chord is not looked at again.
        let reason = "chord_unlock could not be retried: \(failure.repr)"
        endUnlock(item, chordErrorSteps(unlock.groupID, unlock.body, reason, failure, nil, item), &actions)
    }

    private mutating func endUnlock(_ item: InFlight, _ steps: [Step], _ actions: inout [EngineAction]) {
        emitWhenSettled(.succeeded(result: JSON.null.bytes), of: item)
        record(item, steps + [.acknowledge], &actions)
    }
}
