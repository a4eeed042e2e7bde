// A process that runs tasks, as we see it from here.

internal import Ports
internal import TaskModel

/// How much is in the hands of all children together.
final class ChildTally {
    /// Children that work.
    fileprivate(set) var busy = 0
    /// Runs given to a child behind the one it works on.
    fileprivate(set) var behind = 0
}

final class Child {
    let lane: Lane
    private(set) weak var childPool: ChildPool?
    /// 0 until the zygote has reported the fork.
    var pid: Int32 = 0
    /// Given to it and not yet reported, in order; it works on the first.
    private(set) var runs: [Run] = []
    /// Tasks given to it so far.
    var served = 0
    /// False: its last task, or the order to leave, is on the way.
    var takesMore = true
    /// We ordered its end; what it has not begun will not be begun.
    var isKilled = false
    /// When, in monotonic nanoseconds; of one that has time for a last word: when that is over.
    var killedAt: UInt64 = 0
    /// It was told to end by a signal; this is the time it has.
    var farewell: (any LoopTimer)?
    /// It spoke nonsense.
    var violation: String?
    /// A result whose tree is still being swept; reported when that is done.
    var held: (run: Run, report: RunReport)?
    /// Monotonic nanoseconds since when it has nothing to do.
    var idleSince: UInt64 = 0
    /// The zygote's text about its crash.
    var crashText: [UInt8] = []

    /// The run it works on takes longer than such runs usually do: nothing is put behind it.
    var isSlow = false
    private let tally: ChildTally

    init(lane: Lane, childPool: ChildPool) {
        self.lane = lane
        self.childPool = childPool
        tally = childPool.tally
    }

    // ---- its runs ----

    func append(_ run: Run) {
        if runs.isEmpty { tally.busy += 1 } else { tally.behind += 1 }
        run.child = self
        runs.append(run)
    }

    /// The one it works on has come to its end.
    func removeFirst() {
        runs.removeFirst().child = nil
        isSlow = false
        if runs.isEmpty { tally.busy -= 1 } else { tally.behind -= 1 }
    }

    /// Those behind the one it works on whose sequence is greater than this.
    func removeBehind(after sequence: UInt64) -> [Run] {
        guard let first = runs.dropFirst().firstIndex(where: { $0.sequence > sequence }) else { return [] }
        let taken = Array(runs[first...])
        runs.removeSubrange(first...)
        tally.behind -= taken.count
        for run in taken { run.child = nil }
        return taken
    }

    func removeAll() -> [Run] {
        guard !runs.isEmpty else { return [] }
        tally.busy -= 1
        tally.behind -= runs.count - 1
        defer { runs = [] }
        for run in runs { run.child = nil }
        return runs
    }

    /// Nothing was ever given to it.
    var isSpare: Bool { served == 0 && takesMore && !isKilled }

    /// It has nothing to do and may serve again a task that keeps a child for so many.
    func maySuit(keep: Int) -> Bool { takesMore && !isKilled && served < keep }
}
