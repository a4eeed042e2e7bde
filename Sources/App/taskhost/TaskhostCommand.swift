import ArgumentParser
import Glibc
import Output

/// The program: `taskhost [worker] …` and its companions.
struct TaskhostCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "taskhost",
        abstract: "Runs Celery tasks that are written in Python, C, C++ and Swift.",
        usage: """
            taskhost [worker] [--queues urgent,normal] [options]
            taskhost -A APP [worker] [options]
            taskhost new NAME [--lang c|cpp|swift|rust|python] | dev | run FILE TASK [ARGUMENTS]
            taskhost call TASK [ARGUMENTS] [--wait] [options]
            taskhost beat [next [--count N]] [options]
            taskhost status | top | events | inspect METHOD | control METHOD [ARGUMENTS] [--destination NODE,…]
            taskhost scheduled [QUEUE…] [--json]
            taskhost doctor [worker's options] [--json]
            taskhost result ID [--wait] | revoke ID… | bundles [FILE…|ls|promote|rollback] | purge QUEUE… | dead ls|show|retry|drop QUEUE
            taskhost hand-over QUEUE…
            """,
        discussion: """
            Without a broker the messages lie in a file in your state directory: no server is needed. Bundles are \
            shared libraries (*.so) in the plugins folder; `taskhost bundles` shows what they offer. With -A the tasks and \
            the settings are those of a Celery app, whose interpreter is that of the active virtual environment, else \
            python3.

            Options win over TASKHOST_* variables (also CELERY_BROKER_URL, CELERY_RESULT_BACKEND), these over \
            taskhost.toml (in this folder, in ~/.config/taskhost, in /etc/taskhost).

            EXIT STATUS
            \(ExitStatus.table)
            """,
        version: ProgramVersion.text,
        subcommands: [
            WorkerCommand.self, CallCommand.self, ResultCommand.self, RevokeCommand.self, InspectCommand.self,
            ControlCommand.self, StatusCommand.self, TopCommand.self, EventsCommand.self, BundlesCommand.self,
            PurgeCommand.self, HandOverCommand.self, ScheduledCommand.self, DeadCommand.self, BeatCommand.self,
            DoctorCommand.self, NewCommand.self, DevCommand.self, RunCommand.self,
        ],
        defaultSubcommand: WorkerCommand.self)
}

extension TaskhostCommand {
    /// Sets up the subcommand that is meant and no other: all of them cost a worker a fifth of the time until it is ready.
    fileprivate static func read(_ words: [String]) throws -> any ParsableCommand {
        let named = words.first.flatMap { word in configuration.subcommands.first { $0._commandName == word } }
        do {
            let command = try (named ?? WorkerCommand.self).parseAsRoot(named == nil ? words : Array(words.dropFirst()))
            // It may also be the parser's own, which shows help.
            if (named ?? WorkerCommand.self).contains(type(of: command)) { return command }
        } catch {
            // Said again below, with the usage of the whole program.
        }
        return try parseAsRoot(words)
    }
}

extension ParsableCommand {
    /// It, or a subcommand of it.
    fileprivate static func contains(_ other: any ParsableCommand.Type) -> Bool {
        other == self || configuration.subcommands.contains { $0.contains(other) }
    }
}

@main
enum Program {
    static func main() {
        // A peer that hangs up is an error of the write that meets it, not our end.
        signal(SIGPIPE, SIG_IGN)
        do {
            let (words, dropped) = CeleryWords.split(ArgumentOrder.normalise(try GivenArguments.take()))
            if !dropped.isEmpty { Console.note("taskhost: without effect here: \(dropped.joined(separator: " "))") }
            if let failure = CeleryWords.answer(words) ?? ArgumentOrder.unknownSubcommand(words) { throw failure }
            var command = try TaskhostCommand.read(words)
            try command.run()
            try Console.requireWritten()
        } catch let failure as CommandFailure {
            LogSink.flushLast()
            Console.note("taskhost: \(failure)")
            exit(failure.status.rawValue)
        } catch {
            TaskhostCommand.exit(withError: error)
        }
    }
}
