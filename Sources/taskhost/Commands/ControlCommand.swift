import ArgumentParser
import Client
import TaskhostJSON

struct ControlCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "control", abstract: "Tell running workers to change something.",
        discussion: """
            METHODS
            \(RemoteMethod.help(RemoteMethod.controlling))

            Workers of taskhost and of Celery obey. Exit status: 69 when nobody replies (shutdown is never answered), \
            1 when one replies with an error.
            """)

    @Argument(help: ArgumentHelp("What to change; see below.", valueName: "method"))
    var method: String

    @Argument(help: ArgumentHelp("Its arguments, in the order shown below.", valueName: "argument"))
    var arguments: [String] = []

    @OptionGroup var remote: RemoteOptions

    func run() throws {
        let method = try RemoteMethod.find(method, among: RemoteMethod.controlling)
        let failed = try RemoteErrand.run(method, arguments, remote)
        if failed { throw ExitCode(ExitStatus.failure.rawValue) }
    }
}
