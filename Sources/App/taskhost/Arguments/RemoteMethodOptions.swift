// Options of `inspect` and `control`.
import ArgumentParser
import Control
import Fleet
import Output

struct RemoteMethodOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("One of the methods above, or one that workers define.", valueName: "method"))
    var method: String

    @Argument(
        help: ArgumentHelp(
            "Its arguments, in the order shown above; of workers' own methods NAME=VALUE.", valueName: "argument"))
    var arguments: [String] = []

    @OptionGroup var remote: RemoteOptions

    func run(_ verb: RemoteCommand.Verb) throws {
        let failed = try CommandRun.run(
            try RemoteMethod(method, verb: verb), arguments, by: try remote.inquiry(), asJSON: remote.json)
        if failed { throw ExitCode(ExitStatus.failure.rawValue) }
    }
}
