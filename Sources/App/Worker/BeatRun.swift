// The life of `taskhost beat`: connect, send what is due, end.
package import Configuration
import Glibc
import Linux
package import Logging
import Loop
package import Output
package import Ports
package import TaskModel

package final class BeatRun {
    private let loop: EpollLoop
    private let broker: any Broker
    private let beat: BeatSending
    private let log: Logger
    private var status = ExitStatus.success
    private var isStopping = false
    private let service: ServiceReport?
    private var isReady = false
    private var reportedLosses = RepeatedReason()

    package init(_ tasks: [ScheduledTask], _ configuration: Configuration, log: Logger) throws(CommandFailure) {
        self.log = log
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        let systems = Systems(loop: loop, configuration: configuration) { level, line in
            log.log(level: .init(level), "\(line)")
        }
        let count = tasks.count
        service = ServiceReport(
            environment: ThisProcess.environment, serving: "sending what is due", loop: loop
        ) { "\(count) schedules" }
        let transport = try systems.broker()
        broker = transport.broker()
        beat = BeatSending(
            tasks, configuration, loop: loop, broker: broker, leadership: transport.leadership(),
            origin: "beat-\(getpid())@\(ThisProcess.hostName)", log: log)
    }

    package func run() throws(CommandFailure) -> ExitStatus {
        let signals: any LoopWatch
        do {
            signals = try loop.watchSignals([SIGTERM, SIGINT]) { [unowned self] in
                stop($0 == SIGINT ? .failure : .success)
            }
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        defer { signals.cancel() }
        service?.begin()
        broker.connect(events: self)
        beat.start()
        loop.run()
        log.info("stopped", metadata: ["event": "stopped"])
        return status
    }

    private func stop(_ status: ExitStatus) {
        guard !isStopping else { return loop.stop() }
        isStopping = true
        service?.stopping()
        self.status = status
        // Closing waits for the other side; an unreachable one must not keep us.
        _ = loop.schedule(afterSeconds: 6) { [loop] in loop.stop() }
        beat.stop { [broker, loop] in broker.close { loop.stop() } }
    }
}

extension BeatRun: BrokerEvents {
    package func linkUp() {
        reportedLosses.forget()
        log.info("connected to \(broker.description)", metadata: ["event": "connected"])
        guard !isReady, !isStopping else { return }
        isReady = true
        log.info("ready", metadata: ["event": "ready"])
        service?.ready()
    }

    package func linkDown(reason: String, retryInSeconds: Double) {
        let next = retryInSeconds.isFinite ? "again in \(retryInSeconds.plain) s" : "it is not tried again"
        guard reportedLosses.isWorthReporting(reason, at: loop.clocks.monotonic) else { return }
        log.warning("broker: \(reason); \(next)", metadata: ["event": "link-down"])
    }

    package func blocked(_ reason: String?) {
        log.warning("\(reason.map { "the broker takes no messages: \($0)" } ?? "the broker takes messages again")")
    }

    package func fatal(_ failure: BrokerFailure) {
        log.error("\(failure.detail)")
        if let fix = failure.fix { log.error("fix: \(fix)") }
        stop(.unavailable)
    }

    // Beat consumes nothing.
    package func delivered(_ delivery: Delivery) {}
    package func consumerCancelled(queue: String) {}
}
