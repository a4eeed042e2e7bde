// What children say on their data sockets and pipes.

internal import CRunnerProtocol
internal import Ports
internal import TaskModel

extension ChildPool: LaneEvents {
    func frame(_ header: frame_header, _ payload: UnsafeRawBufferPointer, on lane: Lane) -> Bool {
        guard let child = lane.child, child.violation == nil else { return false }
        switch UInt32(header.type) {
        case FRAME_RESULT.rawValue:
            result(header, payload, of: child)
        case FRAME_STATE.rawValue:
            guard let run = child.runs.first, run.sequence == header.sequence else { return true }
            guard let (state, meta) = parseState(payload) else {
                violation("it sent a state that is not as agreed", on: lane)
                return false
            }
            sink.stateChanged(run, state: state, meta: meta)
        case FRAME_SEND.rawValue:
            guard let run = child.runs.first, run.sequence == header.sequence else { return true }
            guard let submission = Submission(code: header.code, json: payload) else {
                violation("it sent a signature that is not as agreed", on: lane)
                return false
            }
            sink.sent(run, submission)
        case FRAME_LOG.rawValue:
            // Of a run that is over (a thread it left behind): dropped.
            guard let run = child.runs.first, run.sequence == header.sequence else { return true }
            lane.captured.sayWithinAllowance(now: now) {
                sink.said(run, level: LogLevel(clamping: Int(header.code)), line: OutputCapture.line(payload))
            }
            if lane.captured.isExhausted { lane.rest() }
        default:
            violation("it sent a frame of unknown type \(header.type)", on: lane)
            return false
        }
        return child.violation == nil
    }

    func violation(_ text: String, on lane: Lane) {
        guard let child = lane.child, child.violation == nil else { return }
        child.violation = text
        kill(child)
    }

    func output(_ bytes: UnsafeRawBufferPointer, on lane: Lane) {
        // Output of no run: of a spare child, or after the last result.
        guard let run = lane.child?.runs.first else { return }
        lane.captured.append(bytes, now: now) { sink.said(run, level: nil, line: $0) }
    }

    private func result(_ header: frame_header, _ payload: UnsafeRawBufferPointer, of child: Child) {
        let usageSize = MemoryLayout<result_usage>.size
        guard let run = child.runs.first, run.sequence == header.sequence, child.held == nil else {
            return violation("it sent a result that was not asked for", on: child.lane)
        }
        guard payload.count >= usageSize,
            let outcome = Outcome(code: header.code, json: UnsafeRawBufferPointer(rebasing: payload[usageSize...]))
        else { return violation("it sent a result that is not as agreed", on: child.lane) }
        // Pipelined behind a run that was killed too late.
        if !run.hasBegun { begin(run, child) }

        let usage = payload.loadUnaligned(as: result_usage.self)
        var report = RunReport(outcome: outcome)
        report.usage.wallMicroseconds = usage.wall_us
        report.usage.userMicroseconds = usage.user_us
        report.usage.systemMicroseconds = usage.system_us
        report.usage.maxResidentKiB = usage.max_rss_kib
        run.pace.keep = run.request.keep
        run.pace.note(microseconds: usage.wall_us)
        deathsInARow = 0
        if takeLastWord(run, report, of: child) { return }
        if usage.flags & RESULT_CHILD_EXITS.rawValue != 0 {
            // It left processes behind, or grew too large: usage when it is gone.
            if let most = maxResidentKiB, usage.max_rss_kib > UInt64(most), child.takesMore {
                log(.info, "child \(child.pid) has had \(usage.max_rss_kib) KiB resident, more than \(most): replaced")
            }
            child.takesMore = false
            child.held = (run, report)
        } else {
            conclude(run, report, of: child)
        }
    }

    /// Reports the run its child worked on, and turns to the next.
    func conclude(_ run: Run, _ report: RunReport, of child: Child) {
        var report = report
        child.lane.isHeldBack = false
        child.lane.drainOutputOfResult()
        report.output = child.lane.captured.finish { sink.said(run, level: nil, line: $0) }
        child.removeFirst()
        if run.request.keep > 0 { mayHaveOrphans = true }
        if let next = child.runs.first {
            sink.finished(run, report)
            if !child.isKilled, child.runs.first === next { begin(next, child) }
            return
        }
        // It is free before its end is told: what is told asks at once whether there is room.
        goIdle(child)
        sink.finished(run, report)
        sink.capacityFreed()
    }

    private func goIdle(_ child: Child) {
        child.idleSince = now
        if !child.takesMore {
            busyKept.removeAll { $0 === child }
            leaving.append(child)
        } else if isRetiring {
            busyKept.removeAll { $0 === child }
            letGo(child)
        } else {
            busyKept.removeAll { $0 === child }
            idleKept.append(child)
        }
    }
}
