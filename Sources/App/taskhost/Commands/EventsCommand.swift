import ArgumentParser
import Fleet
import Glibc
import Loop
import Ports
import Settings

struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Show what workers do, as it happens.",
        discussion: """
            A line per event, until INT (^C) or TERM, which end it with status 0. Workers send events of tasks when they \
            were started with -E, or were asked to: --enable asks them all.

            Patterns are the shell's (task-*, worker?@*); a task may also be named by its id.
            """)

    @Option(help: ArgumentHelp("Only these: task-failed,worker-*. May be repeated.", valueName: "patterns"))
    var type: [String] = []

    @Option(help: ArgumentHelp("Only of tasks with these names or ids.", valueName: "patterns"))
    var task: [String] = []

    @Option(help: ArgumentHelp("Only of these workers.", valueName: "patterns"))
    var worker: [String] = []

    @Flag(help: "Have all workers send events of tasks, those that come later, too. They go on when this ends.")
    var enable = false

    @Flag(name: [.customShort("d"), .long], help: "Lines, as without it: Celery's word for them.")
    var dump = false

    @Flag(help: "Print each event as one JSON object per line, as it came.")
    var json = false

    @OptionGroup var place: LocalOptions

    @OptionGroup(title: "Connection") var connection: ConnectionOptions

    func run() throws {
        let configuration = try connection.configuration()
        let session = try ClientSession(
            configuration, needsBroker: true, needsStore: false, needsReplies: true, needsEvents: true,
            hosts: try place.hosts())
        guard let source = session.events else { return }
        session.outlivesLosses = true
        let filter = EventFilter(types: Self.list(type), workers: Self.list(worker), tasks: Self.list(task))
        let stream = EventStream(session: session, source: source, filter: filter, asJSON: json, enables: enable)
        let signals = try session.loop.watchSignals([SIGINT, SIGTERM]) { _ in stream.end() }
        defer { signals.cancel() }
        try session.run { stream.begin() }
    }

    private static func list(_ words: [String]) -> [String] {
        words.flatMap { $0.split(separator: ",").map { String($0).trimmed } }.filter { !$0.isEmpty }
    }
}
