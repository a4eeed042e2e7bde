// What a worker, or beat, reports to systemd: ready, reloading, stopping, what it does, and that its loop still turns.
import Glibc
import Loop
import Ports

/// On the loop: everything is sent from its turns, so that a loop that hangs falls silent, and systemd acts.
final class ServiceReport {
    private let notifier: ServiceNotifier
    private let loop: EpollLoop
    /// "3 running, 12 held".
    private let activity: () -> String
    /// "serving urgent, normal".
    private let serving: String
    /// Seconds between two signs of life; nil: systemd does not want any.
    private let pulse: Double?
    private var state = State.starting
    private var lastStatus = ""

    private enum State { case starting, ready, reloading, stopping }

    private static let statusSeconds = 5.0
    /// How long systemd is asked to wait on at a stop, each time a new status is due.
    private static let extend = "\nEXTEND_TIMEOUT_USEC=20000000"
    private static let reloadSeconds = 0.1

    /// nil: without a service manager.
    init?(
        environment: [String: String], serving: String, loop: EpollLoop, activity: @escaping () -> String
    ) {
        guard let notifier = ServiceNotifier(environment: environment) else { return nil }
        self.notifier = notifier
        self.loop = loop
        self.activity = activity
        self.serving = serving
        pulse = Self.pulse(environment)
    }

    /// Half of the time after which systemd takes silence for death. The variables may be meant for our parent.
    static func pulse(_ environment: [String: String]) -> Double? {
        guard let text = environment["WATCHDOG_USEC"], let microseconds = Double(text), microseconds > 0 else {
            return nil
        }
        if let pid = environment["WATCHDOG_PID"], pid_t(pid) != getpid() { return nil }
        return microseconds / 2e6
    }

    func begin() {
        if let pulse { beat(every: pulse) }
        sendStatus()
    }

    func ready() {
        state = .ready
        notifier.send("READY=1\n" + status())
    }

    /// - Parameter isDone: asked until it is so.
    func reloading(until isDone: @escaping () -> Bool) {
        guard state == .ready || state == .reloading else { return }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let microseconds = Int(time.tv_sec) * 1_000_000 + Int(time.tv_nsec) / 1000
        notifier.send("RELOADING=1\nMONOTONIC_USEC=\(microseconds)\nSTATUS=looking at the plugins folders again")
        let isUnderWay = state == .reloading
        state = .reloading
        if !isUnderWay { look(isDone) }
    }

    func stopping() {
        state = .stopping
        notifier.send("STOPPING=1\n" + status() + Self.extend)
    }

    private func look(_ isDone: @escaping () -> Bool) {
        _ = loop.schedule(afterSeconds: Self.reloadSeconds) { [weak self] in
            guard let self, state == .reloading else { return }
            if isDone() { ready() } else { look(isDone) }
        }
    }

    private func beat(every seconds: Double) {
        notifier.send("WATCHDOG=1")
        _ = loop.schedule(afterSeconds: seconds) { [weak self] in self?.beat(every: seconds) }
    }

    private func sendStatus() {
        // As long as we say so we are alive, and may finish what we run even beyond TimeoutStopSec.
        let before = lastStatus
        let now = status()
        if state == .stopping { notifier.send(now + Self.extend) } else if now != before { notifier.send(now) }
        _ = loop.schedule(afterSeconds: Self.statusSeconds) { [weak self] in self?.sendStatus() }
    }

    private func status() -> String {
        let doing =
            switch state {
            case .starting: "starting"
            case .ready, .reloading: serving
            case .stopping: "stopping"
            }
        lastStatus = "STATUS=\(doing): \(activity())"
        return lastStatus
    }
}
