// Memory limits of running tasks. Looked at from outside and by resident memory: a limit of address space
// (RLIMIT_AS) hangs Swift's runtime and counts what is only reserved, and an allocation that fails inside the task
// is a crash without a cause.

internal import Glibc
internal import Ports
internal import TaskModel

/// Kills the tasks whose processes have too much. On the loop's thread; costs nothing while no task has a limit.
final class MemoryWatch {
    /// A task may exceed its limit by what it can touch in this time.
    private static let intervalSeconds = 0.1

    private let loop: any EventLoop
    private var watched: [RunID: Run] = [:]
    private var timer: (any LoopTimer)?

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func begin(_ run: Run) {
        guard run.request.memoryLimit != nil else { return }
        watched[run.request.run] = run
        if timer == nil { lookLater() }
    }

    func end(_ run: Run) {
        if !watched.isEmpty { watched.removeValue(forKey: run.request.run) }
    }

    private func lookLater() {
        timer = loop.schedule(afterSeconds: Self.intervalSeconds) { [weak self] in self?.look() }
    }

    private func look() {
        timer = nil
        for run in watched.values {
            guard let limit = run.request.memoryLimit, run.excess == nil, let child = run.child, child.pid > 0 else {
                continue
            }
            let resident = ResidentMemory.kibibytes(ofTree: child.pid, beyond: child.childPool?.zygote)
            guard resident > UInt64(limit) * 1024 else { continue }
            run.excess = MemoryExcess(limitMebibytes: limit, residentKiB: resident)
            child.childPool?.kill(child)
        }
        if !watched.isEmpty { lookLater() }
    }
}

enum ResidentMemory {
    private static let pageKiB = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE)))) / 1024
    /// Who starts more processes than these is stopped by other limits.
    private static let maxProcesses = 1000

    /// Of a process and everything below it. Pages that several of them share count for each, except what the first
    /// has from its parent: a bundle's preloaded data is not counted against a task.
    static func kibibytes(ofTree root: Int32, beyond parent: Int32? = nil) -> UInt64 {
        let preloaded = parent.map(anonymousKiB) ?? 0
        var total: UInt64 = 0
        var pids = [root]
        var next = 0
        while next < pids.count, next < maxProcesses {
            let pid = pids[next]
            next += 1
            // Processes end while we look; what is gone has no memory.
            if let text = readFile("/proc/\(pid)/statm") {
                let fields = text.split(separator: UInt8(ascii: " "))
                if fields.count > 1 { total += (number(fields[1]) ?? 0) * pageKiB }
            }
            for thread in namesInFolder("/proc/\(pid)/task") ?? [] {
                guard let text = readFile("/proc/\(pid)/task/\(thread)/children") else { continue }
                pids += text.split(separator: UInt8(ascii: " ")).compactMap { number($0).map { Int32($0) } }
            }
        }
        return total > preloaded ? total - preloaded : 0
    }

    /// Private pages of a process; its children begin with the same.
    private static func anonymousKiB(_ pid: Int32) -> UInt64 {
        guard let text = readFile("/proc/\(pid)/statm") else { return 0 }
        let fields = text.split(separator: UInt8(ascii: " ")).compactMap(number)
        guard fields.count > 2, fields[1] > fields[2] else { return 0 }
        return (fields[1] - fields[2]) * pageKiB
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        UInt64(String(decoding: digits, as: UTF8.self))
    }
}
