// What `inspect` and `control` are told.
import ArgumentParser

struct RemoteMethodOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("One of the methods above.", valueName: "method"))
    var method: String

    @Argument(help: ArgumentHelp("Its arguments, in the order shown above.", valueName: "argument"))
    var arguments: [String] = []

    @OptionGroup var remote: RemoteOptions

    func run(among methods: [RemoteMethod]) throws {
        let failed = try RemoteErrand.run(try RemoteMethod.find(method, among: methods), arguments, remote)
        if failed { throw ExitCode(ExitStatus.failure.rawValue) }
    }
}
