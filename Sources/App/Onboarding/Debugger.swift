// gdb on the zygote of `taskhost run --gdb`: it follows the child that runs the task, and stops where the task begins.
import CLinux
import CRunnerProtocol
import Glibc
import Linux
import Loop
import Output
import Ports

final class Debugger {
    private let pid: pid_t
    private let zygote: Int32
    private let loop: EpollLoop
    private let attached: () -> Void
    private let ended: () -> Void
    private var isOver = false

    /// Seconds between two looks at gdb and what it holds.
    private static let lookSeconds = 0.05

    /// - Parameters:
    ///   - bundle: its file.
    ///   - attached: it waits for the child.
    ///   - ended: the person has left it.
    init(
        zygote: Int32, bundle: String, task: String, loop: EpollLoop, attached: @escaping () -> Void,
        ended: @escaping () -> Void
    ) throws(CommandFailure) {
        (self.zygote, self.loop, self.attached, self.ended) = (zygote, loop, attached, ended)
        let function = task.split(separator: ".").last.map(String.init) ?? task
        let words = [
            "gdb", "-q", "-p", "\(zygote)", "-ex", "set confirm off", "-ex", "set follow-fork-mode child",
            "-ex", "set breakpoint pending on", "-ex", "handle SIGUSR1 SIGUSR2 nostop noprint",
            "-ex", "break \(function)", "-ex", "continue",
        ]
        var argv = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        var pid: pid_t = 0
        // The zygote knows its bundle as /proc/self/fd/4, and gdb looks there, too: in its own process.
        let file = open(bundle, O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, file, RUNNER_BUNDLE_FD)
        // In our own session: the terminal's keys are gdb's.
        let code = posix_spawnp(&pid, "gdb", &actions, nil, &argv, environ)
        guard code == 0 else {
            throw CommandFailure(
                .configuration, "gdb cannot be started: \(SystemFailure(code: code))", fix: "apt install gdb")
        }
        self.pid = pid
        signal(SIGINT, SIG_IGN)
        look(isAttached: false)
    }

    /// The task is over; whoever looks at what is left of it may take his time.
    func awaitEnd() {
        guard !isOver else { return }
        isOver = true
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    }

    private func look(isAttached: Bool) {
        _ = loop.schedule(afterSeconds: Self.lookSeconds) { [weak self] in
            guard let self, !isOver else { return }
            var status: Int32 = 0
            if clinux_reap(pid, &status) != 0 {
                isOver = true
                return ended()
            }
            let holds = isAttached || isHeldAndRuns
            if holds, !isAttached { attached() }
            look(isAttached: holds)
        }
    }

    /// A tracer has it, and has let it go on.
    private var isHeldAndRuns: Bool {
        let lines: [Substring]
        do throws(SystemFailure) {
            lines = try Files.readText("/proc/\(zygote)/status").split(separator: "\n")
        } catch {
            // It has ended; the pool tells why.
            return false
        }
        let traced = lines.contains { $0.hasPrefix("TracerPid:") && !$0.hasSuffix("\t0") }
        return traced && lines.contains { $0.hasPrefix("State:") && ($0.contains("\tS") || $0.contains("\tR")) }
    }
}
