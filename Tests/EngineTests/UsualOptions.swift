import Ports
import TaskModel

@testable import Engine

extension EngineOptions {
    /// What operators have who set nothing, as far as these tests go by it.
    static func usual(slots: Int, queues: [QueuePreference], nodeName: String) -> EngineOptions {
        var made = EngineOptions(slots: slots, queues: queues, nodeName: nodeName)
        made.autoscaleKeepSeconds = 30
        made.graceSeconds = 30
        made.stallSeconds = 30
        made.maxHeldBytes = 64 << 20
        made.maxWaiting = 2000
        made.resultExpiresSeconds = 86_400
        made.deduplicatesSuccessful = true
        made.acceptContent = ["json"]
        return made
    }
}
