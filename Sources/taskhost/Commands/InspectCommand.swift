import ArgumentParser

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Ask running workers.",
        discussion: """
            METHODS
            \(RemoteMethod.help(RemoteMethod.inspecting))

            Workers of taskhost and of Celery answer. Exit status: 69 when nobody does, 1 when one replies with an \
            error.
            """)

    @OptionGroup var options: RemoteMethodOptions

    func run() throws { try options.run(among: RemoteMethod.inspecting) }
}
