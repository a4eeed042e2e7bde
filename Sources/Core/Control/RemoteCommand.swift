// A remote command: one row for the side that answers, the side that asks, help and documentation.
import TaskhostJSON

/// One row of `CommandTable` (celery-protocol.md §5.4, §5.7).
public struct RemoteCommand: Sendable {
    /// What it does to a worker.
    public enum Effect: Sendable {
        /// Reads only; asked for with `inspect`. Always answered.
        case reads
        /// Changes nothing of the worker, but is Celery's `control` all the same. Always answered.
        case acts
        /// Changes the worker or its tasks; asked for with `control`. `ControlPolicy` may refuse it.
        case changes
    }

    /// The subcommand of the command line that sends it, here as with Celery.
    public enum Verb: String, Sendable, CaseIterable {
        case inspect, control
    }

    public enum Kind: Sendable { case text, number, flag }

    public struct Parameter: Sendable {
        /// As the message names it: `task_id`.
        public var name: String
        public var kind: Kind
        public var isOptional: Bool
        /// Takes all words that are left, at least one; only the last parameter may.
        public var isList: Bool

        static func text(_ name: String, isOptional: Bool = false, isList: Bool = false) -> Parameter {
            Parameter(name: name, kind: .text, isOptional: isOptional, isList: isList)
        }

        static func number(_ name: String, isOptional: Bool = false) -> Parameter {
            Parameter(name: name, kind: .number, isOptional: isOptional, isList: false)
        }

        static func flag(_ name: String) -> Parameter {
            Parameter(name: name, kind: .flag, isOptional: true, isList: false)
        }
    }

    /// What becomes of it at a worker.
    enum Response {
        /// The value to reply with; nil: never a reply.
        case answered(ControlAnswer?)
        /// The broker is asked first, or it takes several turns: the value comes then, on the loop.
        case pending((@escaping (ControlAnswer) -> Void) -> Void)

        static func value(_ value: JSON) -> Response { .answered(ControlAnswer(value)) }
    }

    /// A method of `CommandHandler`, for its turn on the loop.
    typealias Handler = @Sendable (CommandHandler) -> (CommandArguments) throws(CommandError) -> Response

    public let name: String
    /// Celery's older names of it, which are answered, too.
    public let aliases: [String]
    public let effect: Effect
    /// In the order in which the command line takes them.
    public let parameters: [Parameter]
    /// For help and docs/remote-control.md: some words, without a full stop.
    public let summary: String
    /// Those that only workers say to each other are not in help.
    public let isVisible: Bool
    /// A worker that shuts down does not say so.
    public let isAnswered: Bool
    let handler: Handler

    init(
        _ name: String, aliases: [String] = [], _ effect: Effect, _ handler: @escaping Handler, _ summary: String,
        _ parameters: [Parameter] = [], isVisible: Bool = true, isAnswered: Bool = true
    ) {
        self.name = name
        self.aliases = aliases
        self.effect = effect
        self.parameters = parameters
        self.summary = summary
        self.isVisible = isVisible
        self.isAnswered = isAnswered
        self.handler = handler
    }

    public var verb: Verb { effect == .reads ? .inspect : .control }

    /// As help shows it: `time_limit TASK_NAME SOFT [HARD]`.
    public var usage: String {
        let words = parameters.map { parameter in
            let word = parameter.name.uppercased() + (parameter.isList ? "…" : "")
            return parameter.isOptional ? "[\(word)]" : word
        }
        return ([name] + words).joined(separator: " ")
    }
}
