// A pool with a plugins folder of its own, and everything it reported.

import CLinux
import Glibc
import Loop
import Ports
import Runner
import TaskModel
import TestKit
import Testing

struct HarnessFailure: Error, CustomStringConvertible {
    var description: String
}

/// Runs a program to its end; its exit status.
@discardableResult
func run(_ arguments: String...) -> Int32 {
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] = [strdup("PATH=/usr/local/bin:/usr/bin:/bin"), nil]
    defer { for pointer in argv + environment { free(pointer) } }
    let pid = clinux_spawn(argv[0]!, &argv, &environment, [0, 1, 2], 3)
    var status: Int32 = 0
    guard pid > 0, waitpid(pid, &status, 0) == pid, clinux_wait_exited(status) else { return -1 }
    return clinux_wait_exit_status(status)
}

/// Builds a bundle from C source.
func compile(_ source: String, to path: String) throws {
    try TemporaryFolder.with(["bundle.c": source]) { folder in
        let built = folder + "/bundle.so"
        let include = try Dist.include()
        let command = "cc -shared -fPIC -g -O1 -std=gnu11 -I\(include) -o \(built) \(folder)/bundle.c"
        guard run("/bin/sh", "-c", command) == 0 else { throw HarnessFailure(description: "failed: \(command)") }
        // As a careful installer does: complete under another name, then renamed.
        let hidden = path.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/.new"
        guard run("/bin/cp", built, hidden) == 0, rename(hidden, path) == 0 else {
            throw HarnessFailure(description: "cannot put \(path)")
        }
    }
}

func write(_ text: String, to path: String) throws {
    let descriptor = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0o644)
    let bytes = Array(text.utf8)
    guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count, close(descriptor) == 0 else {
        throw HarnessFailure(description: "cannot write \(path)")
    }
}

func contents(_ path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let got = read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, got)), as: UTF8.self)
}

final class Harness: RunnerEvents {
    /// Of the plugins, and of what tests write beside them.
    var folder: String { home.path }
    private let home: TemporaryFolder
    let loop: EpollLoop
    let pool: RunnerPool
    private(set) var began: [RunID: Int32] = [:]
    private(set) var order: [String] = []
    private(set) var returned: [RunID] = []
    var onBegan: () -> Void = {}
    private(set) var finished: [RunID: RunReport] = [:]
    private(set) var states: [(run: RunID, state: String, meta: String)] = []
    private(set) var sent: [(run: RunID, submission: Submission)] = []
    private(set) var said: [(run: RunID, level: LogLevel?, line: String)] = []
    private(set) var changes: [BundleReport] = []
    /// For the operator.
    private(set) var lines: [String] = []
    private var last: UInt64 = 0

    /// - Parameters:
    ///   - plugins: names of built bundles to copy into the plugins folder.
    ///   - confinement: as a worker's own settings have it, if a test has no reason for another.
    init(
        _ plugins: String..., slots: Int = 4, spares: Int = 2, loadTimeoutSeconds: Double = 10,
        environment: [String: String] = [:], confinement: Confinement = Confinement(umask: 0o077, oomScore: 500),
        trials: TrialOptions = TrialOptions()
    ) throws {
        _ = clinux_set_dumpable(confinement.isDebuggable)
        home = try TemporaryFolder()
        for plugin in plugins {
            guard run("/bin/cp", try Dist.plugin(plugin), home.path) == 0 else {
                throw HarnessFailure(description: "no bundle \(plugin)")
            }
        }
        loop = try EpollLoop()
        var options = RunnerOptions(
            runnerPath: try Dist.runner(), pluginFolders: [home.path], slots: slots, spares: spares,
            environment: environment, loadTimeoutSeconds: loadTimeoutSeconds, ownsAllChildren: true)
        options.confinement = confinement
        options.trials = trials
        var note: (String) -> Void = { _ in }
        pool = try RunnerPool(loop: loop, options: options, log: { note($1) })
        note = { [unowned self] in lines.append($0) }
        pool.connect(events: self)
        try wait("bundles to settle") {
            pool.bundles.count == plugins.count && !pool.bundles.contains { $0.status == .loading }
        }
    }

    /// Ends the pool; nothing of it may be left.
    func close() throws {
        var done = false
        pool.close { done = true }
        try wait("the pool to close") { done }
    }

    func wait(_ what: String, seconds: Double = 20, _ condition: () -> Bool) throws {
        guard loop.run(until: condition, timeoutSeconds: seconds) else {
            let bundles = pool.bundles.map { "\($0.path) \($0.status)" }
            throw HarnessFailure(description: "waited \(seconds) s for \(what); bundles: \(bundles)")
        }
    }

    func start(
        _ task: String, _ args: String = "[]", keep: Int = 0, alone: Bool = false, mayReturn: Bool = false,
        starts: Int = 1
    ) -> RunID {
        last += 1
        let run = RunID(last)
        pool.start(
            StartRequest(
                run: run, taskName: task, id: "id-\(last)", rootID: nil, parentID: nil, groupID: nil, queue: "celery",
                retries: 0, starts: starts, maxRetries: .atMost(3), softLimit: nil, hardLimit: nil, eta: nil,
                redelivered: false, headersJSON: Array("{}".utf8), body: Array("[\(args),{},{}]".utf8), keep: keep,
                alone: alone, mayReturn: mayReturn))
        return run
    }

    func report(_ run: RunID) throws -> RunReport {
        try wait("\(run) to finish") { finished[run] != nil }
        return finished[run]!
    }

    /// Starts a task and waits for its report.
    func call(_ task: String, _ args: String = "[]", keep: Int = 0) throws -> RunReport {
        try report(start(task, args, keep: keep))
    }

    // ---- RunnerEvents ----

    func began(_ run: RunID, pid: Int32) {
        began[run] = pid
        order.append("began \(run.number)")
        onBegan()
    }

    func returned(_ run: RunID) {
        returned.append(run)
        order.append("returned \(run.number)")
    }

    func sent(_ run: RunID, _ submission: Submission) { sent.append((run, submission)) }

    func stateChanged(_ run: RunID, state: String, meta: [UInt8]) {
        states.append((run, state, String(decoding: meta, as: UTF8.self)))
    }

    func said(_ run: RunID, level: LogLevel?, line: String) {
        said.append((run, level, line))
    }

    func finished(_ run: RunID, _ report: RunReport) {
        if finished[run] != nil { Issue.record("\(run) finished twice") }
        finished[run] = report
        order.append("finished \(run.number)")
    }

    func catalogChanged(_ report: BundleReport) {
        changes.append(report)
    }
}

extension Outcome {
    var value: String? { if case .success(let json) = self { String(decoding: json, as: UTF8.self) } else { nil } }
    var failure: TaskFailure? { if case .failure(let failure) = self { failure } else { nil } }
    var death: Death? { if case .died(let death) = self { death } else { nil } }
}

extension BundleReport {
    var refusal: String? { if case .refused(let sentence) = status { sentence } else { nil } }
}

func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

func openDescriptors() -> Int {
    guard let folder = opendir("/proc/self/fd") else { return -1 }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
}

/// All suites of this target run one test after the other: they look at this process's descriptors and children.
@Suite("the runner", .serialized)
struct RunnerSuite {}
