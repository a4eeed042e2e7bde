// How many slots a limit of open files allows.

internal import CRunnerProtocol

enum DescriptorRoom {
    /// Places for children beside those at work: spares, and those that are about to end.
    private static let spareLanes = 6
    /// Ours for brokers, stores, logs, timers and zygotes.
    private static let others = 128
    /// The zygote's own above its base.
    private static let zygoteOthers = 16
    private static let perLaneHere = 2
    private static let perLaneInZygote = 3

    /// For one slot.
    static let minimum = Int(RUNNER_PRIVATE_FD_BASE) + 64

    /// 0: not even one.
    static func slots(within limit: Int) -> Int {
        guard limit >= minimum else { return 0 }
        let here = (limit - others) / perLaneHere
        let inZygote = (limit - Int(RUNNER_PRIVATE_FD_BASE) - zygoteOthers) / perLaneInZygote
        return max(0, min(here, inZygote) - spareLanes)
    }
}
