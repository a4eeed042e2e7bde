import ArgumentParser
import Client
import Fleet
import Glibc
import Loop
import Output
import Ports

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watch workers, queues and running tasks.",
        discussion: """
            Keys: up and down select; p pauses or resumes a queue; s sends a task SIGTERM, k SIGKILL (after y); \
            q quits. Needs a terminal; for scripts there is `taskhost status --json`.
            """)

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Only these workers: names, separated by commas. Default: all.", valueName: "nodes"))
    var destination: String?

    @Option(name: [.short, .long], help: ArgumentHelp("How long to wait for replies each time.", valueName: "seconds"))
    var timeout = 0.8

    @OptionGroup var place: LocalOptions

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func validate() throws {
        guard timeout > 0, timeout <= 60 else { throw ValidationError("--timeout is more than 0 and at most 60") }
        try RemoteOptions.validate(destination)
    }

    func run() throws {
        let configuration = try connection.configuration()
        let session = try ClientSession(
            configuration, needsBroker: true, needsStore: false, needsReplies: true, hosts: try place.hosts())
        // On a signal at once: a raw terminal must be restored.
        var signal: Int32?
        var restore = {}
        let signals = try session.loop.watchSignals([SIGTERM, SIGHUP, SIGINT]) { number in
            signal = number
            restore()
            session.finish()
        }
        defer { signals.cancel() }
        guard let terminal = RawTerminal() else {
            throw CommandFailure(.usage, "this is no terminal", fix: "use `taskhost status --json`")
        }
        restore = { terminal.restore() }
        defer { terminal.restore() }
        let live = LiveFleet(
            session: session, terminal: terminal, nodes: RemoteOptions.names(destination), patience: timeout)
        try session.run { live.begin() }
        if let signal { throw ExitCode(128 + signal) }
    }
}
