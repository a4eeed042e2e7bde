// What is to outlive a restart: which tasks must not run.
public import Ports
public import TaskModel

/// Revocations as they are kept between runs.
public struct RevocationMemory: Sendable, Equatable {
    public struct ID: Sendable, Equatable {
        public var id: String
        public var revokedAt: WallTime

        public init(id: String, revokedAt: WallTime) {
            self.id = id
            self.revokedAt = revokedAt
        }
    }

    /// Oldest first.
    public var ids: [ID] = []
    public var stamps: [RevokedStamp] = []

    public init() {}
}

extension Engine {
    /// What is known now; ids that are forgotten by age are left out.
    public var revocationMemory: RevocationMemory {
        let now = loop.clocks
        var memory = RevocationMemory()
        memory.ids = core.revocations.aged(at: now.monotonic).map {
            RevocationMemory.ID(id: $0.id, revokedAt: now.wall.advanced(bySeconds: -$0.age))
        }
        memory.stamps = core.revocations.stamps
        return memory
    }

    /// To be called before `start`.
    public func remember(_ memory: RevocationMemory) {
        let now = loop.clocks
        for one in memory.ids.sorted(by: { $0.revokedAt < $1.revokedAt }) {
            core.revocations.add(one.id, at: now.monotonic, age: now.wall.seconds(since: one.revokedAt))
        }
        for stamp in memory.stamps { core.revocations.add(stamp) }
        toldRevocations = core.revocations.changes
    }

    /// After each round of events: once for all that changed in it.
    func tellRevocations() {
        guard core.revocations.changes != toldRevocations else { return }
        toldRevocations = core.revocations.changes
        onRevocation()
    }
}
