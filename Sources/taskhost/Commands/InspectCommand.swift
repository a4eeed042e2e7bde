import ArgumentParser
import Client
import TaskhostJSON

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Ask running workers.",
        discussion: """
            METHODS
            \(RemoteMethod.help(RemoteMethod.inspecting))

            Workers of taskhost and of Celery answer. Exit status: 69 when nobody does, 1 when one replies with an \
            error.
            """)

    @Argument(help: ArgumentHelp("What to ask; see below.", valueName: "method"))
    var method: String

    @Argument(help: ArgumentHelp("Its arguments, in the order shown below.", valueName: "argument"))
    var arguments: [String] = []

    @OptionGroup var remote: RemoteOptions

    func run() throws {
        let method = try RemoteMethod.find(method, among: RemoteMethod.inspecting)
        let failed = try RemoteErrand.run(method, arguments, remote)
        if failed { throw ExitCode(ExitStatus.failure.rawValue) }
    }
}
