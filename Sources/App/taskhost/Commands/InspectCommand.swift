import ArgumentParser
import Control
import Fleet

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Ask running workers.",
        discussion: """
            METHODS
            \(CommandTable.all.help(.inspect))

            Workers of taskhost and of Celery answer. What a fleet's own workers define is sent as it is, with arguments \
            written NAME=VALUE. Exit status: 69 when none does, 1 when one replies with an \
            error.
            """)

    @OptionGroup var options: RemoteMethodOptions

    func run() throws { try options.run(.inspect) }
}
