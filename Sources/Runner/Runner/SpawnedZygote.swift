// Starting a taskhost-runner with nothing of ours but what it needs.

internal import CLinux
internal import Glibc

struct SpawnedZygote {
    let pid: Int32
    /// Readable when it is dead.
    let death: Int32
    let control: Int32
    let output: Int32

    /// Variables of ours that bundles may see.
    private static let passedOn = ["PATH", "HOME", "LANG", "TZ"]

    /// - Parameter talk: what the zygote gets as `RUNNER_TALK_FD`; nil: nothing.
    init(
        _ copy: PrivateCopy, options: RunnerOptions, token: String, talk: Int32? = nil
    ) throws(RunnerFailure) {
        guard access(options.runnerPath, X_OK) == 0 else {
            throw RunnerFailure(
                "the runner \(options.runnerPath) cannot be started: \(errorText(errno))."
                    + " Install taskhost whole (make install), or name it in TASKHOST_RUNNER.")
        }
        var sockets: [Int32] = [-1, -1]
        var pipes: [Int32] = [-1, -1]
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        var result = clinux_socketpair_seqpacket(&sockets)
        if result >= 0 { result = clinux_pipe(&pipes) }
        if result >= 0 { result = clinux_set_nonblocking(pipes[0], true) }
        if result >= 0 { result = clinux_set_nonblocking(sockets[1], false) }
        if result >= 0 {
            result = Self.spawn(
                [options.runnerPath, "zygote", PrivateCopy.pathInZygote, copy.original] + options.confinement.words,
                Self.environment(options, token),
                [null, pipes[1], pipes[1], sockets[1], copy.descriptor] + (talk.map { [$0] } ?? []))
        }
        let pid = result
        if result >= 0 { result = clinux_pidfd_open(pid) }
        for descriptor in [null, pipes[1], sockets[1]] where descriptor >= 0 { _ = clinux_close(descriptor) }
        guard result >= 0 else {
            for descriptor in [pipes[0], sockets[0]] where descriptor >= 0 { _ = clinux_close(descriptor) }
            throw RunnerFailure("cannot start \(options.runnerPath): \(errorText(result))")
        }
        self.pid = pid
        death = result
        control = sockets[0]
        output = pipes[0]
    }

    private static func environment(_ options: RunnerOptions, _ token: String) -> [String] {
        var variables: [String: String] = [:]
        for name in passedOn {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        variables.merge(options.environment) { _, operators in operators }
        // The crash handler is ours; Swift's backtracer would take seconds.
        variables["SWIFT_BACKTRACE"] = "enable=no"
        // Symbols are resolved once here, not in each child.
        variables["LD_BIND_NOW"] = "1"
        variables[Leftovers.variable] = token
        return variables.map { "\($0.key)=\($0.value)" }
    }

    /// The pid, or -errno.
    private static func spawn(_ arguments: [String], _ environment: [String], _ descriptors: [Int32]) -> Int32 {
        withCStrings(arguments) { argv in
            withCStrings(environment) { envp in
                clinux_spawn(argv[0]!, argv, envp, descriptors, Int32(descriptors.count))
            }
        }
    }

    private static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
    }
}
