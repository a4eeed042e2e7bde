// Scale: how many slots there are, by command or by demand.
import Ports
import TaskModel

extension EngineCore {
    /// Fewer slots end nothing: what runs finishes, and no more is started until there is room again.
    mutating func changeSlots(by change: Int, _ actions: inout [EngineAction]) {
        guard scaling.range == nil else { return }
        let most = SlotRange.bounds.upperBound
        resize(to: scaling.slots + min(max(change, -most), most), &actions)
        intake.slotsChanged(to: scaling.slots)
        creditFollows(&actions)
    }

    mutating func setAutoscale(_ range: SlotRange, _ actions: inout [EngineAction]) {
        guard scaling.range != nil else { return }
        scaling.follow(range, at: now.monotonic)
        resize(to: min(max(scaling.slots, range.min), range.max), &actions)
        intake.slotsChanged(to: range.max)
        creditFollows(&actions)
        watchForIdleSlots(&actions)
    }

    /// True: more may be started now.
    mutating func scaleUp(_ actions: inout [EngineAction]) -> Bool {
        guard let wanted = scaling.grown(waiting: ready.count) else { return false }
        resize(to: wanted, &actions)
        scaling.isFull(at: now.monotonic)
        watchForIdleSlots(&actions)
        return true
    }

    mutating func scaleDown(_ actions: inout [EngineAction]) {
        guard life.stopping == nil, let wanted = scaling.shrunk(running: inFlight.runCount) else { return }
        if inFlight.runCount >= scaling.slots { scaling.isFull(at: now.monotonic) }
        if scaling.keepsIdleSlots(at: now.monotonic) <= 0 {
            resize(to: wanted, &actions)
            scaling.isFull(at: now.monotonic)
        }
        watchForIdleSlots(&actions)
    }

    /// Before the run that is over is replaced by another.
    mutating func slotFreed() {
        if inFlight.runCount + 1 >= scaling.slots { scaling.isFull(at: now.monotonic) }
    }

    private func watchForIdleSlots(_ actions: inout [EngineAction]) {
        guard life.stopping == nil, let seconds = scaling.idleSeconds(at: now.monotonic) else { return }
        actions.append(.arm(.scale, afterSeconds: seconds))
    }

    private mutating func resize(to wanted: Int, _ actions: inout [EngineAction]) {
        guard let before = scaling.resize(to: wanted) else { return }
        actions.append(.log(.resized(from: before, to: scaling.slots)))
        actions.append(.resize(slots: scaling.slots))
    }

    private func creditFollows(_ actions: inout [EngineAction]) {
        if life.isLinkUp { setCredits(&actions) }
    }
}
