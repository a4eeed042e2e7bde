// The end of children that work: by SIGKILL, with all that they have started; before it, in bundles with a last word
// (python.so), by a signal that the task may hear of.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc
internal import Ports
internal import TaskModel

extension KillReason {
    /// What a task is told, and the seconds that it then has; nil: nothing, it is killed. Celery's pool does the same:
    /// TERM and 0.1 s at the hard limit; its `terminate` never kills, ours does in the end.
    fileprivate var farewell: (signal: Int32, seconds: Double)? {
        switch self {
        case .hardLimit: (SIGTERM, 0.1)
        case .terminate(signal: SIGKILL): nil
        case .terminate(let signal): (signal, 5)
        case .stop: (SIGTERM, 0.5)
        }
    }
}

extension ChildPool {
    /// Seconds the zygote has to carry out an order to kill before we do it ourselves.
    static let killSeconds = 1.0

    /// One that was told to end already is killed now.
    func kill(_ child: Child, because reason: KillReason? = nil) {
        guard !child.isKilled else { return child.farewell != nil ? finishOff(child) : () }
        child.isKilled = true
        child.killedAt = now
        child.takesMore = false
        guard hasLastWord, let (signal, seconds) = reason?.farewell else { return finishOff(child) }
        child.killedAt += UInt64(seconds * 1e9)
        control.send(control_record(RUNNER_SIGNAL, lane: child.lane.number, pid: child.pid, status: signal))
        child.farewell = loop.schedule(afterSeconds: seconds) { [weak self, weak child] in
            guard let self, let child, child.lane.child === child else { return }
            finishOff(child)
        }
    }

    private func finishOff(_ child: Child) {
        child.farewell?.cancel()
        child.farewell = nil
        control.send(control_record(RUNNER_KILL, lane: child.lane.number, pid: child.pid))
    }

    /// A result in the time that was left for a last word. A limit is a limit and a command a command, whatever the
    /// task made of it; what ended before the host did has ended. True: it is reported when the child is gone.
    func takeLastWord(_ run: Run, _ report: RunReport, of child: Child) -> Bool {
        guard child.farewell != nil else { return false }
        var report = report
        if run.killReason != .stop, let killed = run.killedOutcome { report.outcome = killed }
        child.held = (run, report)
        finishOff(child)
        return true
    }

    /// The zygote does not do it: it is stopped, or slow. The pid of its child cannot be reused while it is its child.
    func killOurselves(_ child: Child) {
        guard child.pid > 0 else { return }
        let process = clinux_pidfd_open(child.pid)
        guard process >= 0 else { return }
        defer { _ = clinux_close(process) }
        guard ProcessStatus(child.pid)?.parent == zygote else { return }
        _ = clinux_pidfd_send_signal(process, SIGKILL)
    }
}
