// Runs that lie behind another in a kept child: where there is room for them, and how they are taken back.

internal import CRunnerProtocol
internal import Ports
internal import TaskModel

/// What became of a run that was to have a child.
enum Acceptance {
    case given
    /// A slot is free for it, but no child yet: one is being forked, or loaded.
    case waits
    /// Every slot is in use, and there is no room behind short tasks.
    case full
}

extension ChildPool {
    /// Short tasks given to one kept child beyond the one it works on.
    static let prefetchPerChild = 3
    /// A run lies behind another no longer than about this, in seconds: others may be free for it.
    static let behindSeconds = 0.02

    /// The one with the least to do among those that work on nothing but short tasks.
    func childToPipeline(_ keep: Int) -> Child? {
        var best: Child?
        for child in busyKept
        where roomBehind(child, keep) > 0 && child.runs.count < best?.runs.count ?? .max { best = child }
        return best
    }

    /// How many more short runs can be given now to children that work, and to idle ones that get a first run as well.
    /// - Parameter freeSlots: how many more children may work.
    func room(keep: Int, freeSlots: Int) -> Int {
        guard !isRetiring else { return 0 }
        let idle = idleKept.reduce(0) { $0 + ($1.maySuit(keep: keep) ? 1 : 0) }
        return busyKept.reduce(min(idle, max(0, freeSlots)) * Self.prefetchPerChild) { $0 + roomBehind($1, keep) }
    }

    private func roomBehind(_ child: Child, _ keep: Int) -> Int {
        guard !child.isSlow, child.maySuit(keep: keep), child.runs.allSatisfy({ $0.pace.isShort }) else { return 0 }
        return min(Self.prefetchPerChild + 1 - child.runs.count, keep - child.served)
    }

    /// Takes back what lies behind a run that has turned out to be long.
    func recallBehindLongRuns() -> [Run] {
        let limit = UInt64(Self.behindSeconds * 1e9)
        var recalled: [Run] = []
        for child in busyKept {
            guard child.runs.count > 1, let head = child.runs.first, head.hasBegun, now > head.beganAt + limit else {
                continue
            }
            child.isSlow = true
            recalled += recallBehind(child)
        }
        return recalled
    }

    /// Takes back what this child has not begun, in order. What it has claimed meanwhile stays with it.
    func recallBehind(_ child: Child) -> [Run] {
        guard child.runs.count > 1, !child.isKilled, child.violation == nil, let first = child.runs.first,
            let last = child.runs.last,
            let claimed = child.lane.page.recall(after: first.sequence, through: last.sequence)
        else { return [] }
        let recalled = child.removeBehind(after: claimed)
        child.served -= recalled.count
        for run in recalled {
            if run.isLast {
                // It was to leave after that one.
                child.takesMore = true
                run.isLast = false
            }
            run.ticksBeforeItBegan = 0
        }
        return recalled
    }
}
