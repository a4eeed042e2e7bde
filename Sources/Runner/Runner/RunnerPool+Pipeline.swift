// What lies behind other runs in kept children, and taking it back.

public import Ports
import TaskModel

extension RunnerPool {
    public func pipeline(for task: String) -> PipelineRoom {
        guard let entry = catalog[task], entry.pace.isShort, !entry.file.owesCanary, let zygote = entry.file.active
        else {
            return PipelineRoom(behind: tally.behind, room: 0)
        }
        let room = zygote.childPool.room(keep: entry.pace.keep, freeSlots: slots - tally.busy)
        return PipelineRoom(behind: tally.behind, room: room)
    }

    public func recall(_ run: RunID) {
        guard let run = runs[run], !run.hasBegun, run.request.mayReturn else { return }
        if let child = run.child {
            if takeBack(run, from: child) { undone.append((run, nil)) }
        } else if let index = waiting.firstIndex(where: { $0 === run }) {
            waiting.remove(at: index)
            undone.append((run, nil))
        } else {
            run.isRecalled = true
        }
    }

    /// With what lies beside it, which waits for another child. False: its child has claimed it.
    func takeBack(_ run: Run, from child: Child) -> Bool {
        guard let recalled = child.childPool?.recallBehind(child), !recalled.isEmpty else { return false }
        putFirst(recalled.filter { $0 !== run })
        return run.child == nil
    }

    /// While anything lies behind other runs: what has lain there for long goes where it can start.
    func watchBehind() {
        guard behindWatch == nil, tally.behind > 0, !isClosing else { return }
        behindWatch = loop.schedule(afterSeconds: ChildPool.behindSeconds) { [weak self] in
            guard let self else { return }
            behindWatch = nil
            putFirst(live.flatMap { $0.childPool.recallBehindLongRuns() })
            watchBehind()
        }
    }

    private func putFirst(_ recalled: [Run]) {
        guard !recalled.isEmpty else { return }
        waiting.insert(contentsOf: recalled, at: 0)
        mayDispatch = true
    }
}
