import ArgumentParser
import CeleryWire
import Fleet
import Output
import Ports
import TaskModel
import TaskhostJSON

struct DeadListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the dead letters of a queue, oldest first.")

    @OptionGroup var options: DeadOptions
    @Option(help: ArgumentHelp("At most so many.", valueName: "number")) var limit = 100
    @Flag(help: "Print one JSON object per dead letter.") var json = false

    func run() throws {
        let letters = try DeadLook.fetch(options, limit: limit)
        for letter in letters {
            let report = Republication.deadReport(of: letter.message)
            if json {
                Console.out(DeadText.summary(letter, report))
            } else {
                Console.out(DeadText.line(letter, report))
            }
        }
        if letters.isEmpty, !json { Console.note("no dead letters of \(options.queue)") }
    }
}

struct DeadShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one dead letter: reason, arguments, crash, last output.")

    @OptionGroup var options: DeadOptions
    @Argument(help: ArgumentHelp("Task id, as `dead ls` lists it.", valueName: "id")) var id: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        let letters = try DeadLook.fetch(options, limit: .max)
        guard let letter = letters.first(where: { $0.id == id }) else {
            throw CommandFailure(
                .failure, "no dead letter \(id) of queue \(options.queue)",
                fix: "list what is there: taskhost dead ls \(options.queue)")
        }
        let report = Republication.deadReport(of: letter.message)
        if json {
            Console.out(DeadText.full(letter, report))
        } else {
            Console.out(DeadText.page(letter, report))
        }
    }
}

/// Fetches what ls and show look at.
private enum DeadLook {
    static func fetch(_ options: DeadOptions, limit: Int) throws -> [DeadLetter] {
        guard limit > 0 else { throw CommandFailure(.usage, "--limit must be at least 1") }
        let session = try ClientSession(
            try options.connection.configuration(), needsBroker: true, needsStore: false)
        var letters: [DeadLetter] = []
        try session.run {
            session.broker?.deadLetters(of: options.queue, limit: limit) { answer in
                switch answer {
                case .success(let found):
                    letters = found
                    session.finish()
                case .failure(let failure):
                    session.finish(.unavailable(failure))
                }
            }
        }
        return letters
    }
}
