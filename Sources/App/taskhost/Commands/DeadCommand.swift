import ArgumentParser
import Ports

struct DeadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead", abstract: "Look at dead letters, send them back, or drop them.",
        discussion: """
            A message that cannot be worked off (poison, undecodable, refused) lies in QUEUE.dead, with the reason, \
            the crash and the task's last output in its header `taskhost-dead`.
            """,
        subcommands: [DeadListCommand.self, DeadShowCommand.self, DeadRetryCommand.self, DeadDropCommand.self])
}

/// Options of all of them.
struct DeadOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("The queue the messages came from (not QUEUE.dead).", valueName: "queue"))
    var queue: String

    @OptionGroup(title: "Connection") var connection: ConnectionOptions
}

struct DeadRetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Send dead letters back to their queue, their starts counted from 0.")

    @OptionGroup var options: DeadOptions
    @Argument(help: ArgumentHelp("Task ids, as `dead ls` lists them.", valueName: "id")) var ids: [String] = []
    @Flag(help: "All of the queue's dead letters.") var all = false
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        let ids = try DeadSettling.selection(ids, all: all)
        try DeadSettling.run(options, ids: ids, action: .retry, verb: "sent back", json: json)
    }
}

struct DeadDropCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Throw dead letters away. There is no way back; asks first on a terminal.")

    @OptionGroup var options: DeadOptions
    @Argument(help: ArgumentHelp("Task ids, as `dead ls` lists them.", valueName: "id")) var ids: [String] = []
    @Flag(help: "All of the queue's dead letters.") var all = false
    @Flag(name: [.customShort("f"), .long], help: "Don't ask.") var force = false
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        let ids = try DeadSettling.selection(ids, all: all)
        let what = ids.map { "\($0.count) dead letters" } ?? "all dead letters"
        try Confirmation.ask("Throw away \(what) of \(options.queue)?", force: force)
        try DeadSettling.run(options, ids: ids, action: .drop, verb: "dropped", json: json)
    }
}
