import ArgumentParser
import Control
import Fleet

struct ControlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control", abstract: "Tell running workers to change something.",
        discussion: """
            METHODS
            \(CommandTable.all.help(.control))

            Workers of taskhost and of Celery obey. Exit status: 69 when no worker replies (shutdown is never answered), \
            1 when one replies with an error; of pause_queue and resume_queue when all do.
            """)

    @OptionGroup var options: RemoteMethodOptions

    func run() throws { try options.run(.control) }
}
