// Asks an app what it is (Python/taskhost_celery/describe.py): in the process that is to run its tasks, as it imports the
// app anyway, or in one of its own. Either may take its time, but not for ever.
import Glibc
package import Linux
package import Output
import Settings
import TaskModel
import TaskhostJSON

extension PythonApp {
    /// Of the document, and of what else is said.
    package static let mostBytes = 16 << 20
    private static let program =
        "import sys; sys.path[0] = sys.argv.pop(1); from taskhost_celery import describe; describe.main()"
    /// Without what a virtual environment brings: that takes longer than the rest.
    private static let location =
        "import sys; sys.path[0] = sys.argv.pop(1); from taskhost_celery import interpreter; interpreter.main()"

    /// Has the app imported by a process that stays, and tells what came of that; nil: it has nothing to say.
    package typealias Importer = (PythonApp) -> LimitedCommand.Outcome?

    /// - Parameters:
    ///   - environment: ours, and the app's.
    ///   - importer: nil: a process of its own is asked. It is so, too, where the importer has nothing to say: what is
    ///     wrong is seen better there.
    /// - Throws: status `noApp`, with the fix and Python's own words.
    package mutating func describe(
        environment: [String: String], by importer: Importer? = nil
    ) throws(CommandFailure) {
        guard Files.isFolder(package) else {
            throw .configuration(
                "this installation has no \(package)", fix: "install the whole tree (make install PREFIX=…)")
        }
        var told: JSON?
        library = try answer(to: Self.location, options: ["-S"], [], environment)["library"]?.text ?? ""
        try Interpreter.check(library: library)
        if let outcome = importer?(self) { told = try read(outcome) }
        if told == nil {
            told = try answer(to: Self.program, options: [], [name, importSeconds.plain], environment)
        }
        if let told { try take(whole: told) }
    }

    private mutating func take(whole answer: JSON) throws(CommandFailure) {
        let facts = answer["python"]
        python = facts?["version"]?.text ?? ""
        celery = facts?["celery"]?.text ?? ""
        library = facts?["library"]?.text ?? ""
        storesResults = answer["stores_results"]?.boolean ?? false
        taskCount = Int(answer["app"]?["tasks"]?.integer ?? 0)
        try Interpreter.check(library: library)
        for one in answer["settings"]?.elements ?? [] { try take(one) }
        unsent = (answer["unsent"]?.elements ?? []).map { one in
            let words = (one.elements ?? []).map { $0.text ?? "" }
            return UnsentSignal(name: words[0], receiver: words[1], instead: words[2])
        }
        celerySettings = (answer["celery"]?.elements ?? []).map { one in
            CelerySetting(
                name: one["name"]?.text ?? "", value: one["value"]?.text ?? "", verdict: one["verdict"]?.text ?? "",
                why: one["why"]?.text ?? "")
        }
    }

    private func answer(
        to program: String, options: [String], _ arguments: [String], _ environment: [String: String]
    ) throws(CommandFailure) -> JSON {
        let command = LimitedCommand(
            // The work folder is not changed here but there: a path to the interpreter may be seen from ours.
            ["/usr/bin/env", "-C", folder, executable] + options + ["-c", program, package] + arguments,
            environment: environment, seconds: importSeconds, mostBytes: Self.mostBytes)
        let outcome: LimitedCommand.Outcome
        do throws(SystemFailure) {
            outcome = try command.run()
        } catch {
            throw .noApp("\(executable) cannot be started: \(error)", fix: "name an interpreter with --python")
        }
        if program == Self.location, case .over(let status) = outcome.ending, outcome.document.isEmpty, status < 126 {
            throw Self.noPython(executable, status, Self.end(of: outcome.said, lines: 3))
        }
        return try read(outcome)
    }

    private func read(_ outcome: LimitedCommand.Outcome) throws(CommandFailure) -> JSON {
        let said = Self.end(of: outcome.said)
        switch outcome.ending {
        case .tooSlow:
            throw .noApp(
                "importing \(name) was not over after \(importSeconds.plain) s; this is where it was:",
                fix: "let the import do less, or allow more: [python] import_timeout", details: said)
        case .tooMuch:
            throw .noApp(
                "importing \(name) writes without end: more than \(Self.mostBytes >> 20) MiB",
                fix: "see what it prints when it is imported", details: said)
        case .over:
            let answer: JSON
            do {
                answer = try JSON(parsing: outcome.document, limits: .trusted)
            } catch {
                throw Self.unanswered(outcome.ending, executable, said)
            }
            guard let problem = answer["problem"] else { return answer }
            throw .noApp(
                problem["sentence"]?.text ?? "the app cannot be used", fix: problem["fix"]?.text,
                details: problem["traceback"]?.text)
        }
    }

    private static func noPython(_ executable: String, _ status: Int, _ said: String?) -> CommandFailure {
        .noApp(
            "\(executable) is no Python that works: asked where its libpython is, it ended with status \(status) and did "
                + "not say",
            fix: "name a CPython, 3.9 or newer, with --python: .venv/bin/python of the app's environment, or python3",
            details: said)
    }

    /// It ended without a word: it is no Python, or the import took the process with it.
    private static func unanswered(
        _ ending: LimitedCommand.Ending, _ executable: String, _ said: String?
    ) -> CommandFailure {
        guard case .over(let status) = ending else { return .noApp("\(executable) gave no answer", fix: nil) }
        if status == 126 || status == 127 {
            return .noApp(
                "\(executable) cannot be run: it is no program of this machine's architecture, or its loader is missing",
                fix: "name an interpreter of this architecture with --python", details: said)
        }
        let how = status > 128 ? "was ended by signal \(status - 128)" : "ended with status \(status)"
        return .noApp(
            "\(executable) \(how) while it imported the app, and said nothing of it",
            fix: "import it by hand: python -c 'import …'", details: said)
    }

    /// The last of it, in which the reason stands.
    private static func end(of text: String, lines most: Int = 30) -> String? {
        let lines = text.split(separator: "\n").suffix(most)
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    private mutating func take(_ one: JSON) throws(CommandFailure) {
        let path = (one["key"]?.elements ?? []).compactMap(\.text)
        let origin = "\(name) (\(one["from"]?.text ?? ""))"
        guard let setting = Settings.all.first(where: { $0.matches(path) }), let value = one["value"] else { return }
        guard let read = setting.kind.value(from: FieldValue(described: value)) else {
            throw .configuration(
                "\(origin): \(path.joined(separator: ".")) must be \(setting.kind.expectation), not \(value)",
                fix: "change it in the app, or set \(setting.name) here, which wins: see docs/python.md")
        }
        settings.set(path, read, origin: origin)
    }
}

extension FieldValue {
    fileprivate init(described json: JSON) {
        switch json {
        case .null: self = .null
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .double(let value): self = .double(value)
        case .bigInteger(let text), .string(let text), .surrogates(let text): self = .string(text)
        case .array(let elements): self = .array(elements.map(FieldValue.init(described:)))
        case .object(let members):
            self = .table(
                FieldTable(members.map { FieldTable.Field(key: $0.key, value: FieldValue(described: $0.value)) }))
        }
    }
}
