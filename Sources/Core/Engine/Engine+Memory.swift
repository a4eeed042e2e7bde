// What is to outlive a restart: which tasks must not run, and which queues nothing is taken from.
import Logging
public import Ports
public import TaskModel

/// As it is kept between runs.
public struct EngineMemory: Sendable, Equatable {
    public struct ID: Sendable, Equatable {
        public var id: String
        public var revokedAt: WallTime

        public init(id: String, revokedAt: WallTime) {
            self.id = id
            self.revokedAt = revokedAt
        }
    }

    /// Revoked, oldest first.
    public var ids: [ID] = []
    public var stamps: [RevokedStamp] = []
    /// In the order of their names.
    public var pausedQueues: [String] = []

    public init() {}
}

extension Engine {
    /// What is known now; ids that are forgotten by age are left out.
    public var memory: EngineMemory {
        let now = loop.clocks
        var memory = EngineMemory()
        memory.ids = core.revocations.aged(at: now.monotonic).map {
            EngineMemory.ID(id: $0.id, revokedAt: now.wall.advanced(bySeconds: -$0.age))
        }
        memory.stamps = core.revocations.stamps
        memory.pausedQueues = pausedQueues
        return memory
    }

    /// To be called before `start`.
    public func remember(_ memory: EngineMemory) {
        let now = loop.clocks
        for one in memory.ids.sorted(by: { $0.revokedAt < $1.revokedAt }) {
            core.revocations.add(one.id, at: now.monotonic, age: now.wall.seconds(since: one.revokedAt))
        }
        for stamp in memory.stamps { core.revocations.add(stamp) }
        reportedRevocations = core.revocations.changes
        reportedPaused = core.pauseAgain(memory.pausedQueues)
        for name in memory.pausedQueues {
            if reportedPaused.contains(name) {
                log.warning("Queue \(name) is still paused, as before the restart: nothing is taken until resume_queue")
            } else {
                log.info("Queue \(name) was paused before the restart and is not consumed any more: forgotten")
            }
        }
    }

    /// After each round of events: once for all that changed in it.
    func reportMemory() {
        guard core.revocations.changes != reportedRevocations || core.intake.paused != reportedPaused else { return }
        reportedRevocations = core.revocations.changes
        reportedPaused = core.intake.paused
        onMemoryChange()
    }
}
