// `taskhost dev`: builds, serves, and does both again when a source changes.
import CLinux
import Glibc
import Linux
import Loop
package import Output
import Ports
package import Runner
import TaskModel

package final class DevLoop {
    package struct Order {
        /// A shell command; nil: nothing is built.
        package var build: String?
        /// The worker's words, with its program first.
        package var worker: [String]
        /// Variables that the build finds beside ours.
        package var variables: [String: String] = [:]
        package var workerVariables: [String: String] = [:]
        /// An app is imported anew at HUP; bundles are found by the worker itself.
        package var reloadsByHangup = false
        /// How bundles would be loaded, and which: asked before each look, as the app may have changed.
        package var bundles: () throws -> (options: RunnerOptions, folders: [String])

        package init(
            build: String?, worker: [String],
            bundles: @escaping () throws -> (options: RunnerOptions, folders: [String])
        ) {
            (self.build, self.worker, self.bundles) = (build, worker, bundles)
        }
    }

    private let order: Order
    private let loop: EpollLoop
    private var sources: SourceWatch?
    private var signals: (any LoopWatch)?
    private var builder: DevProcess?
    private var worker: DevProcess?
    private var inspector: BundleInspector?
    /// Something changed while it was being built.
    private var isStale = false
    private var isStopping = false
    private var shown: [String] = []

    package init(_ order: Order) throws(CommandFailure) {
        self.order = order
        do {
            loop = try EpollLoop()
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
    }

    /// Until INT or TERM.
    package func run() throws(CommandFailure) {
        do {
            signals = try loop.watchSignals([SIGINT, SIGTERM]) { [unowned self] _ in stop() }
        } catch {
            throw CommandFailure(.failure, "\(error)")
        }
        sources = try SourceWatch(".", loop: loop) { [unowned self] name in changed(name) }
        build()
        loop.run()
    }

    // ---- building ----

    private func changed(_ name: String) {
        guard !isStopping else { return }
        guard builder == nil, inspector == nil else {
            isStale = true
            return
        }
        Console.note("dev: \(name) changed")
        build()
    }

    private func build() {
        isStale = false
        guard let command = order.build else { return look() }
        Console.note("dev: $ \(command)")
        builder = start(["/bin/sh", "-c", command], variables: order.variables) { [unowned self] status in
            builder = nil
            if isStale { return build() }
            if status == 0 { return look() }
            Console.note(
                "dev: the build failed (status \(status)); what was built before goes on. Waiting for a change")
        }
    }

    // ---- what came of it ----

    /// Bundles are loaded on trial, so that what is wrong with them is told once more and by itself.
    private func look() {
        do {
            let found = try order.bundles()
            var options = found.options
            options.ownsAllChildren = false
            let inspector = try BundleInspector(loop: loop, options: options) { level, line in
                if level >= .warning { Console.note("dev: \(line)") }
            }
            var paths = options.bundles.map(\.path)
            for folder in found.folders {
                if case .success(let more) = inspector.bundles(in: folder) { paths += more }
            }
            guard !paths.isEmpty else {
                return Console.note("dev: the build left no bundle (*.so) in \(found.folders.joined(separator: ", "))")
            }
            self.inspector = inspector
            inspector.inspect(paths) { [unowned self] reports in
                self.inspector = nil
                seen(reports)
            }
        } catch {
            Console.note("dev: \(error)\ndev: waiting for a change")
        }
    }

    private func seen(_ reports: [BundleReport]) {
        for report in reports {
            if case .refused(let sentence) = report.status { Console.note("dev: \(sentence)") }
        }
        let tasks = reports.filter { $0.status == .active }.flatMap { $0.manifest?.tasks ?? [] }
        if isStale { return build() }
        guard !tasks.isEmpty else { return Console.note("dev: no task to serve; waiting for a change") }
        show(tasks)
        if let worker {
            if order.reloadsByHangup { worker.send(SIGHUP) }
        } else {
            serve()
        }
    }

    private func show(_ tasks: [TaskManifest]) {
        let lines = tasks.map { task in
            "  " + CallExample.line(task) + (task.options.doc.map { "    # \($0)" } ?? "")
        }
        guard lines != shown else { return }
        shown = lines
        let most = 20
        let more = lines.count > most ? ["  … and \(lines.count - most) more: taskhost bundles"] : []
        let text = (["dev: call them from another terminal, in this folder:"] + lines.prefix(most) + more)
        Console.note(text.joined(separator: "\n"))
    }

    // ---- serving ----

    private func serve() {
        // A dev that is killed takes its worker along.
        let words = Files.exists("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig", "TERM", "--"] : []
        worker = start(words + order.worker, variables: order.workerVariables) { [unowned self] status in
            worker = nil
            if isStopping { return loop.stop() }
            Console.note("dev: the worker ended (status \(status)); it is started again after the next change")
        }
    }

    private func start(
        _ words: [String], variables: [String: String] = [:], ended: @escaping (Int) -> Void
    ) -> DevProcess? {
        do throws(SystemFailure) {
            return try DevProcess(words, variables: variables, loop: loop, ended: ended)
        } catch {
            Console.note("dev: \(words[0]): \(error)")
            return nil
        }
    }

    private func stop() {
        if isStopping { worker?.send(SIGQUIT) }
        isStopping = true
        builder?.send(SIGTERM)
        guard let worker else { return loop.stop() }
        worker.send(SIGTERM)
    }
}

/// A program that says what it has to say where we do. It leads a session: what it starts is ended with it.
private final class DevProcess {
    private let pid: pid_t
    private let pidfd: Int32
    private var watch: (any LoopWatch)?

    init(
        _ words: [String], variables: [String: String], loop: EpollLoop, ended: @escaping (Int) -> Void
    ) throws(SystemFailure) {
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw SystemFailure() }
        defer { close(input) }
        let environment = ThisProcess.environment.merging(variables) { $1 }
        var argv = words.map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        let made = clinux_spawn(words[0], &argv, &envp, [input, STDOUT_FILENO, STDERR_FILENO], 3)
        guard made > 0 else { throw SystemFailure(code: -made) }
        pid = made
        pidfd = clinux_pidfd_open(made)
        guard pidfd >= 0 else { throw SystemFailure(code: -pidfd) }
        watch = loop.watch(pidfd, for: .read) { [unowned self] _ in
            var status: Int32 = 0
            guard clinux_reap(pid, &status) != 0 else { return }
            watch?.cancel()
            _ = clinux_close(pidfd)
            let code =
                clinux_wait_signaled(status) ? 128 + clinux_wait_signal(status) : clinux_wait_exit_status(status)
            // Not from within the watch that holds us.
            loop.nextTurn { ended(Int(code)) }
        }
    }

    func send(_ signal: Int32) { kill(-pid, signal) }
}
