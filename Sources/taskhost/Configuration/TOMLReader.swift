import Foundation
import TOMLKit

/// Reads one taskhost.toml into a layer. Unknown keys and wrong types are errors that point at their line.
struct TOMLReader {
    let file: String
    let text: String

    /// - Throws: `CommandFailure`: not readable.
    init(file: String) throws(CommandFailure) {
        self.file = file
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw .configuration(
                "cannot read \(file): \(error.localizedDescription)", fix: "name a readable UTF-8 file with --config")
        }
    }

    init(file: String, text: String) {
        self.file = file
        self.text = text
    }

    func read() throws(CommandFailure) -> SettingsLayer {
        let root: TOMLTable
        do {
            root = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = error.source.begin
            throw .configuration("\(file):\(place.line):\(place.column): \(error.description)")
        } catch {
            throw .configuration("\(file): \(error)")
        }
        var layer = SettingsLayer()
        try read(root, at: [], into: &layer)
        return layer
    }

    private func read(
        _ table: TOMLTable, at path: [String], into layer: inout SettingsLayer
    ) throws(CommandFailure) {
        for (key, value) in table {
            let here = path + [key]
            if let setting = Settings.all.first(where: { $0.matches(here) }) {
                guard let read = setting.kind.value(fromTOML: value) else {
                    throw complaint(
                        here,
                        "\(here.joined(separator: ".")) must be \(setting.kind.expectation), "
                            + "not \(value.tomlDescription)")
                }
                layer.set(here, read, origin: origin(here))
            } else if Settings.all.contains(where: { $0.path.count > here.count && prefix($0.path, matches: here) }) {
                guard let inner = value.table else {
                    throw complaint(
                        here, "\(here.joined(separator: ".")) must be a table, not \(value.tomlDescription)",
                        fix: "write [\(here.joined(separator: "."))] on a line of its own, its settings below")
                }
                try read(inner, at: here, into: &layer)
            } else {
                throw unknown(here)
            }
        }
    }

    private func unknown(_ path: [String]) -> CommandFailure {
        let siblings = Settings.all
            .filter { $0.path.count >= path.count && prefix($0.path, matches: path.dropLast()) }
            .map { $0.path[path.count - 1] }.filter { $0 != "*" }
        let known = Array(Set(siblings)).sorted()
        let guess = NearestName.of(path[path.count - 1], among: known)
        return complaint(
            path, "unknown setting \(path.joined(separator: "."))",
            fix: guess.map { "did you mean `\($0)`?" } ?? "known here: \(known.joined(separator: ", "))")
    }

    private func complaint(_ path: [String], _ message: String, fix: String? = nil) -> CommandFailure {
        .configuration("\(origin(path)): \(message)", fix: fix)
    }

    private func origin(_ path: [String]) -> String {
        let place = KeyPosition.find(path, in: text)
        return "\(file):\(place.line):\(place.column)"
    }

    private func prefix(_ pattern: [String], matches path: some Collection<String>) -> Bool {
        pattern.count >= path.count && zip(pattern, path).allSatisfy { $0 == "*" || $0 == $1 }
    }
}
