// Claims: what a host makes of a message counts only while the message is its own.
//
// A host that was stopped for longer than its lease finds its messages delivered to others. Where the broker reports
// that, nothing of its late outcome is published or stored: no callback, no result, no retry. Only the run of the host
// that has the message now counts.
import CeleryWire
import TaskModel

extension EngineCore {
    /// Its link's tag is gone, and with this broker that means: another host has it, or will.
    func hasLostClaim(_ item: InFlight) -> Bool { fencesClaims && item.tag == nil && !item.wasAcknowledgedEarly }

    /// The broker reports it when a step of its settlement is to be taken.
    mutating func claimLost(_ id: InFlightID, _ actions: inout [EngineAction]) {
        guard let item = inFlight[id], item.settling != nil else { return }
        dropLate(item, &actions)
    }

    mutating func dropLate(_ item: InFlight, _ actions: inout [EngineAction]) {
        actions.append(.log(.claimLost(name: item.message.displayName, id: item.message.id)))
        actions.append(.disarm(.step(item.id)))
        item.settling?.isDropped()
        item.pendingEvents = []
        release(item, isDone: false)
        if backlog.ends(item.id) { backlogChanged(item.delivery.queue, &actions) }
    }
}
