// One start, from the engine's request to its report.

internal import Glibc
import Ports
import TaskModel

final class Run {
    let request: StartRequest
    /// Where its task stands in the manifest of the bundle version it is given to.
    var taskIndex = 0
    let pace: TaskPace
    /// Names the task on its data socket; 0 until it was given to a child.
    var sequence: UInt64 = 0
    var child: Child?
    var hasBegun = false
    var beganAt: UInt64 = 0
    /// The last that its child is to run.
    var isLast = false
    /// How often its child was looked at and had not begun it.
    var ticksBeforeItBegan = 0
    /// Asked for; carried out as soon as the run is the one its child works on.
    var killReason: KillReason?
    /// It was killed for this.
    var excess: MemoryExcess?
    var wantsSoftStop = false
    /// Of the version on trial that it was given to; 0: of none.
    var trial = 0
    /// Among the runs of which a version on trial gets its share.
    var isCounted = false
    /// Asked back while it was about to be given to a child.
    var isRecalled = false

    init(_ request: StartRequest, pace: TaskPace) {
        self.request = request
        self.pace = pace
    }

    /// What a killed run comes to.
    var killedOutcome: Outcome? {
        switch killReason {
        case .hardLimit(let seconds): .hardLimit(seconds)
        case .terminate(let signal): .terminated(signal: signal)
        case .stop: .terminated(signal: SIGKILL)
        case nil: excess.map { .memoryLimit($0) }
        }
    }
}

/// A run that was under way when its zygote died.
struct LostRun {
    let run: Run
    /// Its child had looked at it: it may be what killed the zygote.
    var hadBegun: Bool
    /// The last of what it wrote.
    var output: [UInt8] = []
}

/// How long the runs of one task take lately: whether it pays to hand several to a child at once.
final class TaskPace {
    /// Below this mean a kept child would wait for us longer than it works.
    static let shortMicroseconds = 1000.0

    private var meanMicroseconds: Double?
    var keep = 0
    /// What became of the last of them, of versions that are not on trial: thousands, no more.
    var usual = RunTally()

    func ended(hasCrashed: Bool) {
        usual.note(hasCrashed: hasCrashed)
        if usual.runs >= 20_000 { usual = RunTally(runs: usual.runs / 2, crashes: usual.crashes / 2) }
    }

    func note(microseconds: UInt64) {
        let new = Double(microseconds)
        // One long run ends the pipelining at once; it takes several short ones to bring it back.
        guard let mean = meanMicroseconds else {
            meanMicroseconds = new
            return
        }
        meanMicroseconds = new > mean ? (mean + new) / 2 : mean * 0.8 + new * 0.2
    }

    var isShort: Bool { keep > 1 && (meanMicroseconds ?? .infinity) < Self.shortMicroseconds }
}

/// Numbers the tasks of this process for their data sockets.
final class SequenceSource {
    private(set) var next: UInt64 = 1

    func take() -> UInt64 {
        defer { next += 1 }
        return next
    }
}

/// Where a childPool reports to.
protocol RunSink: AnyObject {
    /// Of all children whose runs are reported here.
    var tally: ChildTally { get }
    func began(_ run: Run, pid: Int32)
    func stateChanged(_ run: Run, state: String, meta: [UInt8])
    func said(_ run: Run, level: LogLevel?, line: String)
    func sent(_ run: Run, _ submission: Submission)
    func finished(_ run: Run, _ report: RunReport)
    /// A child was born.
    func forked()
    /// Something became possible that was not: a child is free, or a lane.
    func capacityFreed()
}
