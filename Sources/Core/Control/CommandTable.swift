// All remote commands, by name.

/// What a worker answers and the command line offers. A new command is one more row in `reading` or `acting`.
public struct CommandTable: Sendable {
    /// Every command of taskhost's workers.
    public static let all = CommandTable(reading + acting)

    /// In the order of their names.
    public let commands: [RemoteCommand]
    private let byName: [String: RemoteCommand]

    init(_ commands: [RemoteCommand]) {
        self.commands = commands.sorted { $0.name < $1.name }
        let named = commands.flatMap { command in ([command.name] + command.aliases).map { ($0, command) } }
        byName = Dictionary(uniqueKeysWithValues: named)
    }

    /// By name or alias; nil: no worker of taskhost knows it, others may.
    public subscript(name: String) -> RemoteCommand? { byName[name] }

    /// What help of a verb lists.
    public func visible(_ verb: RemoteCommand.Verb) -> [RemoteCommand] {
        commands.filter { $0.isVisible && $0.verb == verb }
    }
}
