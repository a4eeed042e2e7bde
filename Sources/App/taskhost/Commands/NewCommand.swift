import ArgumentParser
import Configuration
import Linux
import Onboarding
import Output

struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a folder with a small bundle to start from, its build file and its test.",
        discussion: """
            Then, in the folder: `taskhost dev` builds and serves it; `make test` runs its test.
            """)

    @Argument(help: ArgumentHelp("Folder to make; its last part is the bundle's name.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("c, cpp, swift, rust or python.", valueName: "language"))
    var lang = "c"

    func run() throws {
        let language = try Language.named(lang)
        let bundle = try NewBundle(name, language: language)
        let environment = ThisProcess.environment
        let installation = try Installation(environment: environment)
        try language.requireTools(path: environment["PATH"] ?? "", installation)
        let made = try bundle.make(installation)
        Console.out(
            """
            \(bundle.folder): \(made.joined(separator: ", "))

              cd \(bundle.folder)
              taskhost dev                  # builds and serves it, again after each change
              taskhost call tasks.add 4 6   # in a second terminal, in the same folder: 10
            """)
    }
}
