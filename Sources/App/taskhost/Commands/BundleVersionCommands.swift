// Versions of bundles in running workers: which serve, which are on trial, and what an operator says of them.
import ArgumentParser
import Client
import Control
import Fleet
import Output
import TaskhostJSON

struct BundlesListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "Versions of bundles in running workers, and which of them serve.")

    @OptionGroup var remote: RemoteOptions

    func run() throws {
        let inquiry = try remote.inquiry()
        let replies = try inquiry.ask([ControlQuestion("bundles", [])])[0]
        guard !replies.isEmpty else { throw inquiry.noReply }
        if remote.json { return Console.out(.object(replies)) }
        for line in BundleVersions.lines(replies) { Console.out(line) }
    }
}

struct BundlesPromoteCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote", abstract: "The version on trial, or taken back, serves everything from now on.")

    @OptionGroup var bundle: BundleName
    @OptionGroup var remote: RemoteOptions

    func run() throws { try bundle.tell("promote_bundle", remote) }
}

struct BundlesRollbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback", abstract: "The version before serves everything again.",
        discussion: """
            The newer one finishes what it runs, and is not loaded any more until its file changes, a worker starts anew, \
            or `promote` says so.
            """)

    @OptionGroup var bundle: BundleName
    @OptionGroup var remote: RemoteOptions

    func run() throws { try bundle.tell("rollback_bundle", remote) }
}

struct BundleName: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "The bundle's name, or its file's. Default: all that have a version on trial.", valueName: "bundle"))
    var name: String?

    func tell(_ method: String, _ remote: RemoteOptions) throws {
        let failed = try CommandRun.run(
            try RemoteMethod(method, verb: .control), name.map { [$0] } ?? [], by: try remote.inquiry(),
            asJSON: remote.json)
        if failed { throw ExitCode(ExitStatus.failure.rawValue) }
    }
}
