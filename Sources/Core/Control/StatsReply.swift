// The reply to `stats` (celery-protocol.md §5.5).
import Glibc
import Ports
import TaskModel
import TaskhostJSON

enum StatsReply {
    /// - Parameter uptime: whole seconds.
    static func json(_ engine: any EngineControl, facts: ControlFacts, clock: UInt64, uptime: Int) -> JSON {
        let figures = engine.figures
        let processes = engine.inFlightTasks.compactMap { task -> JSON? in
            if case .active(_, let pid) = task.phase { .int(Int64(pid)) } else { nil }
        }
        let total = figures.received.sorted { $0.key < $1.key }.map { name, count in
            JSONMember(key: name, value: .int(Int64(count)))
        }
        let reply: JSON = [
            "total": .object(total), "pid": .int(Int64(getpid())), "clock": .string(String(clock)),
            "uptime": .int(Int64(uptime)),
            "pool": [
                "implementation": "taskhost:Runner", "max-concurrency": .int(Int64(figures.slots)),
                "processes": .array(processes),
                "max-tasks-per-child": .int(Int64(max(1, figures.tasksPerChild))),
                "put-guarded-by-semaphore": false,
                "timeouts": [number(figures.softLimit), number(figures.hardLimit)],
            ],
            "broker": .object(facts.broker), "prefetch_count": .int(Int64(figures.credit)), "rusage": usage(),
        ]
        guard let range = figures.autoscale else { return reply }
        let autoscaler: JSON = [
            "max": .int(Int64(range.max)), "min": .int(Int64(range.min)), "current": .int(Int64(figures.slots)),
            "qty": .int(Int64(figures.inHand)),
        ]
        return .object((reply.members ?? []) + [JSONMember(key: "autoscaler", value: autoscaler)])
    }

    private static func number(_ seconds: Double?) -> JSON {
        guard let seconds else { return 0 }
        return Int64(exactly: seconds).map { .int($0) } ?? .double(seconds)
    }

    /// Of the host itself; that of children is reported with each task's end.
    private static func usage() -> JSON {
        var usage = rusage()
        guard getrusage(RUSAGE_SELF.rawValue, &usage) == 0 else { return "N/A" }
        func seconds(_ time: timeval) -> JSON { .double(Double(time.tv_sec) + Double(time.tv_usec) / 1e6) }
        return [
            "utime": seconds(usage.ru_utime), "stime": seconds(usage.ru_stime), "maxrss": .int(Int64(usage.ru_maxrss)),
            "ixrss": .int(Int64(usage.ru_ixrss)), "idrss": .int(Int64(usage.ru_idrss)),
            "isrss": .int(Int64(usage.ru_isrss)), "minflt": .int(Int64(usage.ru_minflt)),
            "majflt": .int(Int64(usage.ru_majflt)), "nswap": .int(Int64(usage.ru_nswap)),
            "inblock": .int(Int64(usage.ru_inblock)), "oublock": .int(Int64(usage.ru_oublock)),
            "msgsnd": .int(Int64(usage.ru_msgsnd)), "msgrcv": .int(Int64(usage.ru_msgrcv)),
            "nsignals": .int(Int64(usage.ru_nsignals)), "nvcsw": .int(Int64(usage.ru_nvcsw)),
            "nivcsw": .int(Int64(usage.ru_nivcsw)),
        ]
    }
}
