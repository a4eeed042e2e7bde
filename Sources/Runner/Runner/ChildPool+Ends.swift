// What the zygote says of its children: born, not born, crashed, gone.

internal import CLinux
internal import CRunnerProtocol
internal import Ports
internal import TaskModel

extension ChildPool {
    func forked(_ record: control_record) {
        guard let lane = lanes[record.lane], let child = lane.child, child.pid == 0 else { return }
        child.pid = record.pid
        sink.forked()
        if let run = child.runs.first {
            begin(run, child)
        } else if let index = spares.firstIndex(where: { $0 === child }) {
            // Ready ones to the end, where they are taken from.
            spares.append(spares.remove(at: index))
        }
        lane.release()
    }

    func forkFailed(_ record: control_record) {
        guard let lane = lanes[record.lane], let child = lane.child else { return }
        spares.removeAll { $0 === child }
        let reason = errorText(record.status)
        pauseForks("cannot fork a child: \(reason). Raise the limit of processes (ulimit -u, TasksMax=) or memory.")
        let lost = child.removeAll()
        closeLane(lane)
        for run in lost { sink.finished(run, RunReport(outcome: .runnerFault("cannot fork a child: \(reason)"))) }
        sink.capacityFreed()
    }

    /// The zygote could not take the lane: too few descriptors. The runs assigned to it never began.
    func laneFailed(_ record: control_record) {
        guard let lane = lanes[record.lane] else { return }
        let reason =
            "the runner has no room for another child: \(errorText(record.status))."
            + " Raise the limit of open files (ulimit -n, LimitNOFILE=) or lower --concurrency."
        var lost: [Run] = []
        if let child = lane.child {
            spares.removeAll { $0 === child }
            busyKept.removeAll { $0 === child }
            lost = child.removeAll()
        }
        freeLanes.removeAll { $0 === lane }
        closeLane(lane)
        workWithFewerLanes(reason)
        for run in lost { sink.finished(run, RunReport(outcome: .runnerFault(reason))) }
        sink.capacityFreed()
    }

    func crashed(_ record: control_record, _ text: UnsafeRawBufferPointer) {
        guard let child = lanes[record.lane]?.child, child.pid == record.pid else { return }
        // Long texts come in parts.
        child.crashText.append(contentsOf: text)
    }

    /// Nothing of the child's tree is left.
    func exited(_ record: control_record) {
        guard let lane = lanes[record.lane], let child = lane.child, child.pid == record.pid else { return }
        // Its last words may still be in the socket.
        if child.violation == nil { lane.readAll() }
        guard lanes[record.lane] === lane, lane.child === child else { return }
        let wasSpare = child.isSpare
        let endedWell = lane.isClean && child.runs.isEmpty && !child.isKilled
        child.farewell?.cancel()
        child.farewell = nil
        spares.removeAll { $0 === child }
        idleKept.removeAll { $0 === child }
        busyKept.removeAll { $0 === child }
        leaving.removeAll { $0 === child }

        if let (run, report) = child.held {
            var report = report
            report.swept = Int(record.swept)
            child.held = nil
            reportEnd(run, report, child)
        } else if !child.runs.isEmpty {
            let head = child.runs[0]
            let report = report(on: head, of: child, record)
            if report.outcome == .notStarted { noteEarlyDeath(record) }
            reportEnd(head, report, child)
        } else if wasSpare {
            noteEarlyDeath(record)
        }

        lane.drainOutput()
        lane.isHeldBack = false
        lane.child = nil
        if (endedWell || (wasSpare && lane.isClean)) && !isRetiring {
            freeLanes.append(lane)
        } else {
            closeLane(lane)
        }
        orderSpares()
        sink.capacityFreed()
    }

    /// The zygote is dead, and so are its children: their pids, and the runs that were under way.
    func zygoteGone() -> (pids: [Int32], runs: [LostRun]) {
        var pids: [Int32] = []
        var runs: [LostRun] = []
        for lane in lanes.values {
            if let child = lane.child {
                if child.pid != 0 { pids.append(child.pid) }
                // A result that arrived before the end counts.
                if child.violation == nil, child.pid != 0 { lane.readAll() }
                lane.drainOutput()
                runs += child.removeAll().map { run in
                    guard lane.page.hasBegun(run.sequence) else { return LostRun(run: run, hadBegun: false) }
                    let output = lane.captured.finish { sink.said(run, level: nil, line: $0) }
                    return LostRun(run: run, hadBegun: true, output: output)
                }
            }
            lane.child = nil
            lane.close()
        }
        lanes = [:]
        freeLanes = []
        spares = []
        idleKept = []
        busyKept = []
        leaving = []
        isRetiring = true
        return (pids, runs)
    }

    /// The child is gone: so is its claim on a slot, and what it had not begun.
    private func reportEnd(_ run: Run, _ report: RunReport, _ child: Child) {
        var report = report
        child.lane.drainOutput()
        report.output = child.lane.captured.finish { sink.said(run, level: nil, line: $0) }
        let rest = child.removeAll().dropFirst()
        sink.finished(run, report)
        for run in rest { sink.finished(run, RunReport(outcome: run.killedOutcome ?? .notStarted)) }
    }

    private func report(on run: Run, of child: Child, _ record: control_record) -> RunReport {
        var report = RunReport(outcome: outcome(of: run, child, status: record.status))
        report.swept = Int(record.swept)
        report.usage.wallMicroseconds = run.beganAt > 0 && now > run.beganAt ? (now - run.beganAt) / 1000 : 0
        report.usage.userMicroseconds = record.user_us
        report.usage.systemMicroseconds = record.system_us
        report.usage.maxResidentKiB = record.max_rss_kib
        return report
    }

    private func outcome(of run: Run, _ child: Child, status: Int32) -> Outcome {
        if run.hasBegun, let killed = run.killedOutcome { return killed }
        // Dead before it looked at this one: not charged, whatever it did besides.
        guard child.lane.page.hasBegun(run.sequence) else { return .notStarted }
        if let violation = child.violation { return .died(Death(cause: .protocolViolation(violation))) }
        // Killed for the sake of a run before it.
        guard !child.isKilled else { return .notStarted }
        let crash = child.lane.page.crash
        return .died(
            Death(
                cause: clinux_wait_signaled(status)
                    ? .signal(clinux_wait_signal(status)) : .exit(clinux_wait_exit_status(status)),
                coreDumped: clinux_wait_dumped_core(status), address: crash?.address,
                stack: (child.crashText.isEmpty ? [] : symbolize(child.crashText)) + child.lane.page.text))
    }

    /// A child that ends before it can run anything: once is somebody's kill -9, again and again is a sickness.
    private func noteEarlyDeath(_ record: control_record) {
        deathsInARow += 1
        if deathsInARow >= 3 {
            pauseForks("children die before they can run a task: the last \(endText(waitStatus: record.status))")
        }
    }
}
