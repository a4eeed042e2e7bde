// The life of `taskhost beat`: connect, send what is due, end.
import Foundation
import Glibc
import Logging
import Loop
import Ports
import TaskModel

final class BeatRun {
    private let loop: EpollLoop
    private let broker: any Broker
    private let beat: BeatSending
    private let log: Logger
    private var status = ExitStatus.success
    private var isStopping = false

    init(_ tasks: [ScheduledTask], _ configuration: Configuration, log: Logger) throws(CommandFailure) {
        self.log = log
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        let adapters = Adapters(loop: loop, configuration: configuration) { level, line in
            log.log(level: .init(number: level), "\(line)")
        }
        broker = try adapters.broker()
        beat = BeatSending(
            tasks, configuration, loop: loop, broker: broker, leadership: try adapters.leadership(),
            origin: "beat-\(getpid())@\(ProcessInfo.processInfo.hostName)", log: log)
    }

    func run() throws(CommandFailure) -> ExitStatus {
        let signals: any LoopWatch
        do {
            signals = try loop.watchSignals([SIGTERM, SIGINT]) { [unowned self] in
                stop($0 == SIGINT ? .failure : .success)
            }
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        defer { signals.cancel() }
        broker.connect(events: self)
        beat.start()
        loop.run()
        log.info("stopped", metadata: ["event": "stopped"])
        return status
    }

    private func stop(_ status: ExitStatus) {
        guard !isStopping else { return loop.stop() }
        isStopping = true
        self.status = status
        // Closing waits for the other side; an unreachable one must not keep us.
        _ = loop.schedule(afterSeconds: 6) { [loop] in loop.stop() }
        beat.stop { [broker, loop] in broker.close { loop.stop() } }
    }
}

extension BeatRun: BrokerEvents {
    func linkUp() { log.info("connected to \(broker.description)", metadata: ["event": "connected"]) }

    func linkDown(reason: String, retryInSeconds: Double) {
        log.warning("broker: \(reason); again in \(retryInSeconds.plain) s", metadata: ["event": "link-down"])
    }

    func blocked(_ reason: String?) {
        log.warning("\(reason.map { "the broker takes no messages: \($0)" } ?? "the broker takes messages again")")
    }

    func fatal(_ failure: BrokerFailure) {
        log.error("\(failure.detail)")
        if let fix = failure.fix { log.error("fix: \(fix)") }
        stop(.unavailable)
    }

    // Beat consumes nothing.
    func delivered(_ delivery: Delivery) {}
    func consumerCancelled(queue: String) {}
}
