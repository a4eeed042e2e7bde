// Starts that are counted before they happen, so that a message that kills its host is known by them.
//
// A first start is written down by the broker where it counts them, beside the start. A message that was delivered
// before may have killed its host: its start waits until it is certain that the record will outlive us.
import CeleryWire
import Ports
import TaskModel

/// What remembers starts when their host is gone.
enum StartCounting {
    /// Nothing does: a message that kills its host is not recognised.
    case none
    /// The broker, in each delivery.
    case broker
    /// A counter in the result store, for messages delivered before.
    case store
}

extension EngineCore {
    /// How long a counter in the store is kept after the last start, seconds.
    static let startsKeptSeconds = 3 * 86_400.0

    /// Whether the store has to be asked how often it started. What is acknowledged early had not, if it comes again.
    private func hasUnknownFate(_ item: InFlight) -> Bool {
        startCounting == .store && item.delivery.redelivered && item.delivery.lostStarts == nil && item.policy.acksLate
            && item.builtin == nil
    }

    /// The last question before a message is admitted.
    mutating func admitCounted(_ item: InFlight, _ actions: inout [EngineAction]) {
        guard hasUnknownFate(item) else { return admit(item, &actions) }
        item.phase = .waiting(for: .startCount)
        actions.append(.readStarts(item.startName, item.id))
    }

    mutating func startsRead(_ id: InFlightID, _ lost: Int, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], case .waiting(for: .startCount) = item.phase else { return }
        item.lostStarts = lost
        admit(item, &actions)
    }

    /// True: its host has died under it as often as it may, so it does not start again. One that may have killed a host
    /// is a suspect: of these one runs at a time.
    mutating func isHostKiller(_ item: InFlight, _ actions: inout [EngineAction]) -> Bool {
        guard item.lostStarts > 0, item.builtin == nil else { return false }
        guard item.starts > item.policy.maxStarts else {
            suspects.accuse(item.message.id, of: .host)
            return false
        }
        let reason =
            "its host died \(item.lostStarts == 1 ? "once" : "\(item.lostStarts) times") while it ran "
            + "(\(item.starts - 1) of \(item.policy.maxStarts) starts)"
        let failure = CeleryFailure.hostLost(reason)
        let dead = Republication.deadLetter(
            item.delivery, item.message, reason: reason, kind: .poison, report: nil, starts: item.starts - 1,
            at: now.wall)
        actions.append(
            .log(
                .deadLettered(
                    name: item.message.displayName, id: item.message.id, queue: item.delivery.queue, reason: reason)))
        emitWhenSettled(.failed(failure), of: item)
        emitWhenSettled(.deadLettered(reason: reason), of: item)
        record(item, failureSteps(item, failure) + deadLetterSteps(item, dead), done: false, &actions)
        return true
    }

    /// True: it keeps its slot, and starts when its record is certain.
    mutating func recordsStart(_ item: InFlight, _ actions: inout [EngineAction]) -> Bool {
        let isToBeCertain =
            switch startCounting {
            case .none: false
            case .broker: item.delivery.redelivered
            case .store: hasUnknownFate(item)
            }
        guard isToBeCertain, case .ready(let order) = item.phase else { return false }
        item.phase = .checking(.start, order: order)
        item.startIsRecorded = true
        inFlight.beginCheck(item.id)
        actions.append(.recordStart(item.id))
        return true
    }

    mutating func startRecorded(_ id: InFlightID, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], case .checking(.start, _) = item.phase, inFlight.endCheck(id) else {
            return
        }
        dispatch(item, &actions)
    }

    /// It is settled: what the store knows of its starts is over, or one less if it is requeued.
    func settleStarts(_ item: InFlight, isRequeued: Bool, _ actions: inout [EngineAction]) {
        // One that needs no start (another host has finished it) may have been counted there.
        guard hasUnknownFate(item) else { return }
        if !isRequeued {
            actions.append(.forgetStarts(item.startName))
        } else if item.startIsRecorded {
            actions.append(.takeBackStart(item.startName))
        }
    }
}

extension InFlight {
    /// Of this attempt, for the counter in the store.
    var startName: String {
        "\(message.id)-\(message.retries)-\(message.priorStarts)-\(message.replacedTaskNesting)"
    }
}
