// A new version of a bundle while it is watched: which runs it gets, and whether it crashes more than the one before.

internal import Ports
internal import TaskModel

struct VersionTrial {
    /// So many crashes say nothing yet.
    static let fewestCrashes = 3
    /// The share of crashes below which nobody looks at what it was before.
    static let lowestShare = 0.01
    /// It has risen when it is more than so many times what it was.
    static let factor = 2.0

    /// Of this bundle, growing: runs know the trial they belong to by it.
    let number: Int
    let copy: PrivateCopy
    /// Of the bundle's runs, above 0; 1: it serves everything, as the active one.
    let share: Double
    /// Serves that share beside the active one; nil: it is the active one itself.
    let zygote: Zygote?
    private(set) var tallies: [String: RunTally] = [:]
    private(set) var zygoteDeaths = 0
    /// Runs that are due to it; below 2.
    private var owed: Double

    init(number: Int, copy: PrivateCopy, share: Double, zygote: Zygote?) {
        self.number = number
        self.copy = copy
        self.share = share
        self.zygote = zygote
        // The first one is due at once: a small share of few runs would else show nothing for long.
        owed = 1 - share
    }

    var total: RunTally { tallies.values.reduce(RunTally(), +) }

    // ---- its share ----

    var isOwed: Bool { owed >= 1 }

    /// One more run is to be given to one of both.
    mutating func runComes() { owed = min(owed + share, 2) }

    mutating func takesRun() { owed -= 1 }

    // ---- what came of them ----

    mutating func note(_ task: String, hasCrashed: Bool) {
        tallies[task, default: RunTally()].note(hasCrashed: hasCrashed)
    }

    mutating func noteZygoteDeath() { zygoteDeaths += 1 }

    /// Why it is worse than the version before: of one task, or of all together. nil: it is not, as far as it is known.
    /// - Parameter before: what a task's runs came to in the version before.
    func isWorse(than before: (String) -> RunTally) -> String? {
        if zygoteDeaths >= Self.fewestCrashes { return "the process that has loaded it died \(zygoteDeaths) times" }
        for (task, tally) in tallies.sorted(by: { $0.key < $1.key }) {
            if let figures = Self.hasRisen(tally, from: before(task)) { return "\(figures) of \(task) crashed" }
        }
        let old = tallies.keys.map(before).reduce(RunTally(), +)
        return Self.hasRisen(total, from: old).map { "\($0) of its tasks crashed" }
    }

    /// "3 of 10 runs (before: 0 of 190)".
    static func hasRisen(_ new: RunTally, from old: RunTally) -> String? {
        guard new.crashes >= fewestCrashes else { return nil }
        let share = Double(new.crashes) / Double(max(1, new.runs))
        let before = Double(old.crashes) / Double(max(1, old.runs))
        guard share > max(lowestShare, factor * before) else { return nil }
        return "\(new.crashes) of \(new.runs) runs (before: \(old.crashes) of \(old.runs))"
    }
}
