// What a worker needs of the kernel.
import CLinux
import Configuration
import Glibc
import Ports
import Runner

enum SystemCheck {
    /// - Parameter slots: tasks that may run at a time.
    static func findings(slots: Int) -> [Finding] { [kernel(), files(slots), processes(slots)] }

    private static func kernel() -> Finding {
        var missing: [String] = []
        let process = clinux_pidfd_open(getpid())
        if process < 0 {
            missing.append("pidfd_open")
        } else {
            if clinux_pidfd_send_signal(process, 0) < 0 { missing.append("pidfd_send_signal") }
            _ = clinux_close(process)
        }
        let memory = clinux_memfd("taskhost-doctor")
        if memory < 0 || clinux_memfd_seal(memory) < 0 { missing.append("memfd_create with seals") }
        if memory >= 0 { _ = clinux_close(memory) }
        // So far up that nothing is open there.
        if clinux_close_range(.max, .max) < 0 { missing.append("close_range") }
        if clinux_set_subreaper(true) < 0 { missing.append("PR_SET_CHILD_SUBREAPER") }
        // Without it what a task leaves behind cannot be found, nor can its processes' memory be added up.
        for file in ["/proc/self/stat", "/proc/self/statm", "/proc/self/task/\(getpid())/children"]
        where access(file, R_OK) != 0 {
            missing.append("readable \(file)")
        }
        guard missing.isEmpty else {
            return .fail(
                "kernel", "no \(missing.joined(separator: ", no "))",
                fix: "use Linux 5.9 or newer with CONFIG_PROC_CHILDREN, mount /proc, and let the container's seccomp "
                    + "profile allow these calls")
        }
        return .ok("kernel", "pidfd, memfd, close_range, subreaper and /proc are there")
    }

    static func sandbox(
        _ wanted: Confinement, isRoot: Bool = geteuid() == 0, landlock: Int32 = clinux_landlock_version()
    ) -> Finding {
        if isRoot {
            return .note(
                "sandbox", "tasks of a worker that is root may do anything, to the worker and to the machine",
                fix: "run it as a user of its own (User= in the unit)")
        }
        if let gap = SelfProtection.gap(wanted, landlock: landlock) { return .note("sandbox", gap) }
        let open = [
            wanted.isDebuggable ? "debuggable" : nil, wanted.allowsNewPrivileges ? "new_privileges" : nil,
            wanted.allowsSignals ? "signals" : nil,
        ].compactMap { $0 }
        return open.isEmpty
            ? .ok("sandbox", "tasks cannot look into the worker, signal it, or gain rights")
            : .note("sandbox", "taken back by [sandbox]: \(open.joined(separator: ", "))")
    }

    private static func files(_ slots: Int) -> Finding {
        let needed = UInt64(slots) * 12 + 256
        guard let limit = hardLimit(Int32(RLIMIT_NOFILE.rawValue)), limit < needed else {
            return .ok("files", "enough may be open for \(slots) slots")
        }
        return .fail(
            "files", "only \(limit) may be open; \(slots) slots need \(needed)",
            fix: "LimitNOFILE=\(needed) in the unit, or ulimit -n, or fewer slots")
    }

    private static func processes(_ slots: Int) -> Finding {
        // A child each, its spare, the zygotes and our threads.
        let needed = UInt64(slots) * 2 + 64
        guard geteuid() != 0, let limit = hardLimit(Int32(__RLIMIT_NPROC.rawValue)), limit < needed else {
            return .ok("processes", "enough may run for \(slots) slots")
        }
        return .fail(
            "processes", "this user may run only \(limit); \(slots) slots need \(needed)",
            fix: "LimitNPROC=\(needed) in the unit, or ulimit -u, or fewer slots")
    }

    /// nil: none.
    private static func hardLimit(_ resource: Int32) -> UInt64? {
        var limit = rlimit()
        guard getrlimit(resource, &limit) == 0, limit.rlim_max != rlim_t.max else { return nil }
        return UInt64(limit.rlim_max)
    }
}
