import ArgumentParser
import Configuration
import Linux
import Loop
import Onboarding
import Output
import Ports
import Runner
import Settings
import TaskModel

struct BundlesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bundles", abstract: "What bundles offer; which of their versions workers serve.",
        discussion: "Without a word of these: show. A folder that is called like one of them: ./ls",
        subcommands: [
            BundlesShowCommand.self, BundlesListCommand.self, BundlesPromoteCommand.self, BundlesRollbackCommand.self,
        ], defaultSubcommand: BundlesShowCommand.self)
}

struct BundlesShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Load bundles on trial: what they offer, or why they would be refused.",
        discussion: """
            Each file is loaded in a process of its own, as a worker would do it; no task is run. Exit status 1 if \
            any is refused.
            """)

    @Argument(
        help: ArgumentHelp(
            "Bundles, or folders of bundles. Default: the plugins folders.", valueName: "file or folder"))
    var paths: [String] = []

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(
        help: ArgumentHelp(
            "Print what clients need to call the tasks by types: python, swift or typescript.", valueName: "language"))
    var stubs: ClientStubs.Language?

    @Flag(help: "Print what each task's arguments must be, as JSON Schema.")
    var jsonSchema = false

    @Option(help: ArgumentHelp("Settings file. Default: the first taskhost.toml found.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "App") var app: AppOptions

    func run() throws {
        try app.enterFolder()
        let environment = ThisProcess.environment
        let installation = try Installation(environment: environment)
        let configuration = try ConfigurationBuilder(
            flags: app.flags(), file: config, environment: environment
        ).build()
        let looked = paths.isEmpty ? installation.pluginFolders(configuration) : paths
        let options = configuration.runnerOptions(
            runnerPath: try installation.runnerPath(), folders: looked, environment: environment)
        let loop = try EpollLoop()
        let inspector = try BundleInspector(loop: loop, options: options) { level, line in
            if level >= .warning { Console.note("taskhost: \(line)") }
        }
        let files = (paths.isEmpty ? options.bundles.map(\.path) : []) + (try files(looked, inspector))
        guard !files.isEmpty else { throw PluginCheck.noBundles(in: looked, sdk: installation.sdk) }
        var reports: [BundleReport] = []
        inspector.inspect(files) {
            reports = $0
            loop.stop()
        }
        loop.run()
        show(reports)
        if reports.contains(where: { $0.status != .active }) { throw ExitCode(ExitStatus.failure.rawValue) }
    }

    private func show(_ reports: [BundleReport]) {
        let manifests = reports.compactMap { $0.status == .active ? $0.manifest : nil }
        if stubs != nil || jsonSchema {
            // Standard output is a file for a compiler.
            for case .refused(let sentence) in reports.map(\.status) { Console.note("taskhost: left out: \(sentence)") }
        }
        if let stubs {
            Console.out(ClientStubs.text(manifests, in: stubs).trimmed)
        } else if jsonSchema {
            Console.out(TaskSchema.document(manifests))
        } else {
            Console.out(json ? Console.text(BundleText.json(reports)) : BundleText.page(reports))
        }
    }

    func validate() throws {
        if [json, jsonSchema, stubs != nil].count(where: { $0 }) > 1 {
            throw ValidationError("--json, --json-schema and --stubs each print something else: say one of them")
        }
    }

    /// Folders stand for the bundles in them.
    private func files(_ paths: [String], _ inspector: BundleInspector) throws(CommandFailure) -> [String] {
        var files: [String] = []
        for path in paths {
            let isFolder = Files.isFolder(path)
            if Files.exists(path), !isFolder {
                files.append(path)
            } else if path.hasSuffix(".so"), !isFolder {
                throw CommandFailure(
                    .configuration, "\(path): no such file", fix: "name a bundle that is there, or a folder of bundles")
            } else {
                files += try PluginCheck.bundles(in: [path], by: inspector)
            }
        }
        return files
    }
}

extension ClientStubs.Language: ExpressibleByArgument {}
