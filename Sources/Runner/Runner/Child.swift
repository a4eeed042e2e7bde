// A process that runs tasks, as we see it from here.

internal import TaskModel

final class Child {
    let lane: Lane
    private(set) weak var childPool: ChildPool?
    /// 0 until the zygote has reported the fork.
    var pid: Int32 = 0
    /// Given to it and not yet reported, in order; it works on the first.
    var runs: [Run] = []
    /// Tasks given to it so far.
    var served = 0
    /// False: its last task, or the order to leave, is on the way.
    var takesMore = true
    /// We ordered its end; what it has not begun will not be begun.
    var isKilled = false
    /// When, in monotonic nanoseconds.
    var killedAt: UInt64 = 0
    /// It spoke nonsense.
    var violation: String?
    /// A result whose tree is still being swept; reported when that is done.
    var held: (run: Run, report: RunReport)?
    /// Monotonic nanoseconds since when it has nothing to do.
    var idleSince: UInt64 = 0
    /// The zygote's text about its crash.
    var crashText: [UInt8] = []

    init(lane: Lane, childPool: ChildPool) {
        self.lane = lane
        self.childPool = childPool
    }

    /// Nothing was ever given to it.
    var isSpare: Bool { served == 0 && takesMore && !isKilled }

    /// It has nothing to do and may serve again a task that keeps a child for so many.
    func maySuit(keep: Int) -> Bool { takesMore && !isKilled && served < keep }
}
