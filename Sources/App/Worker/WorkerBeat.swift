// `worker -B`: the schedules of the operator and of the bundles that are loaded, sent by this worker while it leads.
import Configuration
import Logging
import Output
import Ports
import Runner

struct WorkerBeat {
    private let operators: ConfigurationBuilder
    private let runner: RunnerPool
    private let sending: BeatSending
    private let log: Logger

    /// - Parameter operators: what the operator says of schedules.
    init(_ operators: ConfigurationBuilder, runner: RunnerPool, sending: BeatSending, log: Logger) {
        self.operators = operators
        self.runner = runner
        self.sending = sending
        self.log = log
    }

    /// Bundles have changed. Schedules that cannot be used leave those in force that were sent before.
    func replaceSchedules() {
        let manifests = runner.bundles.filter { $0.status == .active }.compactMap(\.manifest)
        do throws(CommandFailure) {
            let tasks = try BundleSchedules.tasks(of: manifests, under: operators)
            for name in BundleSchedules.orphans(manifests, under: operators) {
                log.warning("\(BundleSchedules.orphan(name).sentence)")
            }
            for clash in BundleSchedules.clashes(manifests) { log.warning("\(clash.sentence)") }
            if tasks.isEmpty { log.warning("beat: there are no schedules, in taskhost.toml or in bundles") }
            sending.replace(tasks)
        } catch {
            log.error("beat goes on as before: \(error)")
        }
    }

    func start() { sending.start() }

    /// - Parameter done: called once what is being sent is confirmed and the lease is given back.
    func stop(done: @escaping () -> Void) { sending.stop(done: done) }
}
