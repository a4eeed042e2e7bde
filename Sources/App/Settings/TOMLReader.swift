import Linux
import TaskModel

/// Reads one taskhost.toml into a layer. Unknown keys and wrong types are errors that point at their line.
public struct TOMLReader {
    public let file: String
    public let text: String
    private let known: [Setting]

    /// - Throws: `SettingsFailure`: not readable.
    public init(file: String) throws(SettingsFailure) {
        self.file = file
        known = Settings.all
        do throws(SystemFailure) {
            text = try Files.readText(file)
        } catch {
            throw SettingsFailure(
                "cannot read \(file): \(error)", fix: "name a readable UTF-8 file with --config")
        }
    }

    public init(file: String, text: String, known: [Setting] = Settings.all) {
        self.file = file
        self.text = text
        self.known = known
    }

    public func read() throws(SettingsFailure) -> SettingsLayer {
        let root: TOMLTable
        do throws(TOMLError) {
            root = try TOMLDocument.parse(text)
        } catch {
            throw SettingsFailure("\(file):\(error.line):\(error.column): \(error.reason)")
        }
        var layer = SettingsLayer()
        try read(root, at: [], into: &layer)
        return layer
    }

    private func read(
        _ table: TOMLTable, at path: [String], into layer: inout SettingsLayer
    ) throws(SettingsFailure) {
        for (key, value) in table {
            let here = path + [key]
            if let setting = known.first(where: { $0.matches(here) }) {
                guard let read = setting.kind.value(fromTOML: value) else {
                    throw complaint(
                        here,
                        "\(here.joined(separator: ".")) must be \(setting.kind.expectation), "
                            + "not \(value.tomlDescription)")
                }
                layer.set(here, read, origin: origin(here))
            } else if known.contains(where: { $0.path.count > here.count && prefix($0.path, matches: here) }) {
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

    private func unknown(_ path: [String]) -> SettingsFailure {
        let siblings =
            known.filter { $0.path.count >= path.count && prefix($0.path, matches: path.dropLast()) }
            .map { $0.path[path.count - 1] }.filter { $0 != "*" }
        let names = Array(Set(siblings)).sorted()
        let guess = NearestName.of(path[path.count - 1], among: names)
        return complaint(
            path, "unknown setting \(path.joined(separator: "."))",
            fix: guess.map { "did you mean `\($0)`?" } ?? "known here: \(names.joined(separator: ", "))")
    }

    private func complaint(_ path: [String], _ message: String, fix: String? = nil) -> SettingsFailure {
        SettingsFailure("\(origin(path)): \(message)", fix: fix)
    }

    private func origin(_ path: [String]) -> String {
        let place = KeyPosition.find(path, in: text)
        return "\(file):\(place.line):\(place.column)"
    }

    private func prefix(_ pattern: [String], matches path: some Collection<String>) -> Bool {
        pattern.count >= path.count && zip(pattern, path).allSatisfy { $0 == "*" || $0 == $1 }
    }
}
