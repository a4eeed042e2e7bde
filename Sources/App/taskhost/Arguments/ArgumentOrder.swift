import ArgumentParser
import Output
import Settings
import TaskModel

/// Brings what people type into the order the parser wants.
enum ArgumentOrder {
    static let subcommands: [String] =
        TaskhostCommand.configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]

    /// Celery takes its global options before the subcommand; ours take them after it.
    private static let withValue: Set<String> = [
        "-b", "--broker", "--result-backend", "--config", "-A", "--app", "--python", "--workdir",
    ]

    /// Moves leading global options behind the subcommand, gives a bare `--wait` its value, and keeps negative
    /// numbers among the task's arguments from looking like options.
    static func normalise(_ words: [String]) -> [String] {
        let (leading, rest) = leadingOptions(words)
        guard let command = rest.first, subcommands.contains(command) else { return words }
        let own = rest.dropFirst()
        switch command {
        case "call", "run": return [command] + leading + own.map(argumentOfCall)
        case "result": return [command] + leading + own.map(bareWait)
        case "beat", "dead":
            // Behind a subcommand of its own, and what stands before that likewise.
            let (more, ownRest) = leadingOptions(Array(own))
            let nested = ownRest.first.map { nestedSubcommands[command]?.contains($0) == true } ?? false
            return nested
                ? [command] + ownRest.prefix(1) + leading + more + ownRest.dropFirst() : [command] + leading + own
        default: return [command] + leading + own
        }
    }

    private static let nestedSubcommands = [
        "beat": ["run", "next"], "dead": ["ls", "show", "retry", "drop"],
    ]

    /// Global options that stand first, with their values, and what follows them.
    private static func leadingOptions(_ words: [String]) -> (leading: [String], rest: ArraySlice<String>) {
        var leading: [String] = []
        var rest = words[...]
        while let word = rest.first, word.hasPrefix("-") {
            let name = String(word.prefix { $0 != "=" })
            let isShortWithValue = ["-b", "-A"].contains { word.hasPrefix($0) && word.count > 2 }
            guard withValue.contains(name) || isShortWithValue else { break }
            let takesNext = withValue.contains(word)
            leading.append(contentsOf: rest.prefix(takesNext ? 2 : 1))
            rest = rest.dropFirst(takesNext ? 2 : 1)
        }
        return (leading, rest)
    }

    /// A first word, after global options, that is neither an option nor a subcommand, and the subcommand that was meant.
    static func unknownSubcommand(_ words: [String]) -> CommandFailure? {
        let rest = leadingOptions(words).rest
        guard let word = rest.first, !word.hasPrefix("-") else { return nil }
        if let nested = nestedSubcommands[word] { return unknown(rest.dropFirst().first, of: word, among: nested) }
        guard !subcommands.contains(word) else { return nil }
        if let answer = CeleryWords.answer(subcommand: word) { return answer }
        let meant = NearestName.of(word, among: subcommands).map { "taskhost \($0)" }
        return CommandFailure(
            .usage, "'\(word)' is no subcommand", fix: meant ?? "`taskhost --help` lists the subcommands")
    }

    private static let nestedSynonyms = [
        "list": "ls", "rm": "drop", "delete": "drop", "purge": "drop", "requeue": "retry", "resend": "retry",
        "cat": "show", "forecast": "next",
    ]

    private static func unknown(_ word: String?, of command: String, among nested: [String]) -> CommandFailure? {
        guard let word, !word.hasPrefix("-"), word != "help", !nested.contains(word) else { return nil }
        let known = nestedSynonyms[word].flatMap { nested.contains($0) ? $0 : nil }
        let meant = known ?? NearestName.of(word, among: nested)
        return CommandFailure(
            .usage, "taskhost \(command) has no subcommand '\(word)'",
            fix: meant.map { "taskhost \(command) \($0)" } ?? "one of \(nested.joined(separator: ", "))")
    }

    private static func bareWait(_ word: String) -> String { word == "--wait" ? "--wait=\(WaitTime.forever)" : word }

    private static func argumentOfCall(_ word: String) -> String {
        // JSON allows white space before a number, the parser no option that begins with it.
        word.first == "-" && Double(word) != nil ? " " + word : bareWait(word)
    }
}
