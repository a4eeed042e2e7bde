// Scale: how many slots there are, by command or by demand.
import Ports
import TaskModel

/// Slots that follow demand: up at once when something waits for one, down when some were idle for long.
struct Scaling {
    var range: SlotRange
    /// When all slots were last in use.
    var lastFull: Instant?
}

extension EngineCore {
    /// Fewer slots end nothing: what runs finishes, and no more is started until there is room again.
    mutating func changeSlots(by change: Int, _ actions: inout [EngineAction]) {
        guard scaling == nil else { return }
        let most = SlotRange.bounds.upperBound
        resize(to: slots + min(max(change, -most), most), &actions)
        credit.resize(to: slots)
        creditFollows(&actions)
    }

    mutating func setAutoscale(_ range: SlotRange, _ actions: inout [EngineAction]) {
        guard scaling != nil else { return }
        scaling = Scaling(range: range, lastFull: now.monotonic)
        resize(to: min(max(slots, range.least), range.most), &actions)
        credit.resize(to: range.most)
        creditFollows(&actions)
        watchForIdleSlots(&actions)
    }

    /// True: more may be started now.
    mutating func scaleUp(_ actions: inout [EngineAction]) -> Bool {
        guard let range = scaling?.range, ready.count > 0, slots < range.most else { return false }
        resize(to: min(range.most, slots + ready.count), &actions)
        scaling?.lastFull = now.monotonic
        watchForIdleSlots(&actions)
        return true
    }

    mutating func scaleDown(_ actions: inout [EngineAction]) {
        guard let range = scaling?.range, stopping == nil else { return }
        if runs.count >= slots { scaling?.lastFull = now.monotonic }
        if idleSlotsStay <= 0 {
            resize(to: min(slots, max(range.least, runs.count)), &actions)
            scaling?.lastFull = now.monotonic
        }
        watchForIdleSlots(&actions)
    }

    /// Before the run that is over is replaced by another.
    mutating func slotFreed() {
        if scaling != nil, runs.count + 1 >= slots { scaling?.lastFull = now.monotonic }
    }

    /// Seconds.
    private var idleSlotsStay: Double {
        options.autoscaleKeepSeconds - (scaling?.lastFull.map { now.monotonic.seconds(since: $0) } ?? 0)
    }

    private mutating func watchForIdleSlots(_ actions: inout [EngineAction]) {
        guard let range = scaling?.range, slots > range.least, stopping == nil else { return }
        actions.append(.arm(.scale, afterSeconds: max(0.001, idleSlotsStay)))
    }

    private mutating func resize(to wanted: Int, _ actions: inout [EngineAction]) {
        let wanted = min(max(wanted, SlotRange.bounds.lowerBound), SlotRange.bounds.upperBound)
        guard wanted != slots else { return }
        actions.append(.log(.resized(from: slots, to: wanted)))
        slots = wanted
        actions.append(.resize(slots: wanted))
    }

    private func creditFollows(_ actions: inout [EngineAction]) {
        if isLinkUp { setCredits(&actions) }
    }
}
