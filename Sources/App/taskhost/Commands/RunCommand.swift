import ArgumentParser
import Configuration
import Fleet
import Linux
import Onboarding
import Output
import Settings
import TaskModel

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a task of a bundle at once, without a broker.",
        discussion: """
            It runs in a child process, with the limits that the bundle and the settings give it, as a worker would run \
            it. Its result goes to standard output; its log, what became of it and what it cost to standard error. What \
            it sends is shown, and goes nowhere. Exit status 1 unless it succeeds.

            Examples:
              taskhost run build/demo.so tasks.add 4 6
              taskhost run build/demo.so tasks.add 4 --kw y=6 --repeat 1000
              taskhost run build/demo.so tasks.add 4 6 --gdb
            """)

    @Argument(help: ArgumentHelp("Bundle (a *.so).", valueName: "file"))
    var file: String

    @Argument(help: ArgumentHelp("Task, as `taskhost bundles FILE` lists it.", valueName: "task"))
    var task: String

    @Argument(
        parsing: .remaining,
        help: ArgumentHelp("Its arguments, as `taskhost call` takes them.", valueName: "argument"))
    var arguments: [String] = []

    @Option(help: ArgumentHelp("Keyword arguments as one JSON object.", valueName: "json"))
    var kwargs: String?

    @Option(name: .customLong("kw"), help: ArgumentHelp("One keyword argument; repeatable.", valueName: "name=value"))
    var keywords: [String] = []

    @Option(
        name: .customLong("repeat"),
        help: ArgumentHelp("Run it so often, one after the other.", valueName: "number"))
    var times = 1

    @Option(help: ArgumentHelp("Seconds until it is asked to stop; 0: never.", valueName: "seconds"))
    var softTimeLimit: Double?

    @Option(help: ArgumentHelp("Seconds until it is killed; 0: never.", valueName: "seconds"))
    var timeLimit: Double?

    @Flag(help: "Stop where the task begins, in gdb; without limits.")
    var gdb = false

    @Flag(help: "Print one JSON object.")
    var json = false

    @Option(help: ArgumentHelp("Settings file. Default: the first taskhost.toml found.", valueName: "file"))
    var config: String?

    func validate() throws {
        guard (1...1_000_000).contains(times) else { throw ValidationError("--repeat is a number from 1 to 1000000") }
        if gdb, times > 1 { throw ValidationError("--gdb looks at one run: leave --repeat out") }
        if gdb, json { throw ValidationError("--gdb needs standard output for itself: leave --json out") }
    }

    func run() throws {
        let path = Files.absolute(file)
        guard !Files.isFolder(path) else {
            throw CommandFailure(
                .usage, "\(file) is a folder", fix: "name one bundle in it; `taskhost bundles \(file)` lists them")
        }
        if file.hasSuffix(".py") { throw Self.pythonSource(file) }
        guard Files.exists(path) else {
            throw CommandFailure(
                .noBundle, "\(file): no such file",
                fix: "build it first; the words are: taskhost run FILE.so TASK ARGUMENTS")
        }
        let environment = ThisProcess.environment
        let configuration = try ConfigurationBuilder(
            flags: .init(), file: config, environment: environment
        ).build()
        var order = BundleRun.Order(
            file: path, task: task, arguments: arguments.map(PlainValue.read),
            keywords: try PlainValue.keywords(kwargs, keywords))
        order.shown = file
        (order.softLimit, order.hardLimit) = (softTimeLimit, timeLimit)
        (order.times, order.debugs) = (times, gdb)
        let options = configuration.runnerOptions(
            runnerPath: try Installation(environment: environment).runnerPath(), folders: [], environment: environment)
        let reports = try BundleRun(
            order, options: options, asked: [configuration.tasks[task] ?? TaskOptions(), configuration.taskDefaults]
        ).run()
        if json { Console.out(RunText.json(task, reports)) } else { RunText.people(reports) }
        let status = RunText.status(reports)
        if status != .success { throw ExitCode(status.rawValue) }
    }

    private static func pythonSource(_ file: String) -> CommandFailure {
        let module = file.split(separator: "/").last.map { String($0.dropLast(3)) } ?? file
        return CommandFailure(
            .usage, "\(file) is Python's, and run takes bundles (*.so)",
            fix: "taskhost -A \(module) worker, then taskhost call TASK ARGUMENTS --wait; or without a worker, in "
                + "Python: TASK.apply(args=[…]).get()")
    }
}
