// What one file of a plugins folder needs from, and tells, the pool it belongs to.
internal import Ports
internal import TaskModel

/// What a bundle needs from the pool.
protocol BundleFileHost: AnyObject {
    /// - Parameter spares: children kept ready; nil: as configured.
    func startZygote(
        _ copy: PrivateCopy, owner: any ZygoteOwner, spares: Int?
    ) throws(RunnerFailure) -> Zygote
    /// It has loaded, and is about to offer its tasks.
    func isLoaded(_ file: BundleFile)
    func conflict(of manifest: BundleManifest, in file: BundleFile) -> String?
    func offers(_ file: BundleFile, _ manifest: BundleManifest?)
    func statusChanged(_ file: BundleFile, _ report: BundleReport)
    /// A line for the operator.
    func note(_ level: LogLevel, _ line: String)
    /// What a task's runs came to before the version on trial.
    func usualTally(_ task: String) -> RunTally
    /// A trial has ended well: what its runs came to is what is usual now.
    func becameUsual(_ tallies: [String: RunTally])
    func zygoteEnded(_ zygote: Zygote, lost: [LostRun], reason: String)
    func capacityFreed()
    func lookAgain()
}
