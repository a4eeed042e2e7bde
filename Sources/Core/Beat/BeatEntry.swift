// What beat is to send, and when.
public import TaskModel

/// What becomes of due times that passed while no process led.
public enum MissedRuns: String, Sendable, CaseIterable {
    /// None is made up for. A due time counts as missed after a minute, which covers a change of the leader.
    case skip
    /// Once, however many there were: what Celery does.
    case once
    /// Each, in order.
    case all

    static let tolerance: Double = 60
}

public struct BeatEntry: Sendable, Equatable {
    /// Unique: identifies due times.
    public let name: String
    public let schedule: Schedule
    public let missed: MissedRuns

    public init(_ name: String, schedule: Schedule, missed: MissedRuns = .once) {
        self.name = name
        self.schedule = schedule
        self.missed = missed
    }

    /// - Parameter first: the earliest that is due.
    /// - Returns: which due time to send, nil: none, it is too late; and from when the next one counts.
    func decision(first: WallTime, now: WallTime) -> (time: WallTime?, last: WallTime) {
        switch missed {
        case .all: return (first, first)
        case .once: return latest(from: first, now: now)
        case .skip:
            let latest = latest(from: first, now: now)
            return now.seconds(since: latest.time) > MissedRuns.tolerance ? (nil, latest.last) : latest
        }
    }

    /// One run for all that is overdue.
    private func latest(from first: WallTime, now: WallTime) -> (time: WallTime, last: WallTime) {
        switch schedule.rule {
        case .at: return (first, first)
        case .every:
            // Overdue by more than one: it goes on from now, as in Celery.
            let isLate = (schedule.next(after: first) ?? now) <= now && now.seconds(since: first) > 1
            return (first, isLate ? now : first)
        case .solar: return Self.chain(schedule, from: first, now: now)
        case .cron:
            // A year may have passed: looked for from now backwards, farther each time.
            var seconds = 60.0
            while true {
                let start = now.advanced(bySeconds: -seconds)
                guard start > first else { return Self.chain(schedule, from: first, now: now) }
                if let found = schedule.next(after: start), found <= now {
                    return Self.chain(schedule, from: found, now: now)
                }
                seconds *= 8
            }
        }
    }

    private static func chain(
        _ schedule: Schedule, from first: WallTime, now: WallTime
    ) -> (time: WallTime, last: WallTime) {
        var time = first
        while let next = schedule.next(after: time), next <= now { time = next }
        return (time, time)
    }
}

/// One task to be sent.
public struct DueRun: Sendable, Equatable {
    public let name: String
    public let time: WallTime
    /// The same for everyone who finds this run due, so that a run sent twice after a crash is one task.
    public let taskID: String

    public init(name: String, time: WallTime) {
        self.name = name
        self.time = time
        taskID = Self.taskID(name, time)
    }

    /// A UUID (version 8: of our own making) of two FNV-1a hashes.
    private static func taskID(_ name: String, _ time: WallTime) -> String {
        let text = Array("\(time.microseconds) \(name)".utf8)
        return UUIDText.of(
            hash(text, from: 0xcbf2_9ce4_8422_2325), hash(text.reversed(), from: 0x6c62_272e_07bb_0142), version: 8)
    }

    private static func hash(_ bytes: some Sequence<UInt8>, from start: UInt64) -> UInt64 {
        bytes.reduce(start) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
    }
}
