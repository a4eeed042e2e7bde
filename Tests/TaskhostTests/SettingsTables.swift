// The tables of docs/configuration.md, made from the settings.
import Settings

struct SettingsTables {
    private let settings: [Setting]

    init(_ settings: [Setting] = Settings.all) { self.settings = settings }

    /// Of a section, "worker", in the order of the settings.
    func rows(_ section: String) -> [String] {
        settings.filter { $0.path[0] == section }.map { setting in
            let variables = setting.environment.map { "`\($0)`" }.joined(separator: ", ")
            let cells = [
                "`\(setting.path.last ?? "")`", Self.value(setting.kind), setting.fallback, variables, setting.about,
            ]
            return "| " + cells.joined(separator: " | ") + " |"
        }
    }

    /// The document with its rows replaced; what stands between the tables stays.
    func filled(_ document: String) -> String {
        var section = ""
        var isFilled = false
        var lines: [String] = []
        for line in document.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("## `[") {
                section = String(line.dropFirst(5).prefix { $0 != "." && $0 != "]" })
                isFilled = false
            }
            guard !section.isEmpty, line.hasPrefix("| `") else {
                if !section.isEmpty, line.hasPrefix("|---"), !isFilled {
                    lines += [line] + rows(section)
                    isFilled = true
                } else {
                    lines.append(line)
                }
                continue
            }
        }
        return lines.joined(separator: "\n")
    }

    /// "0…65535", "seconds", "`json` or `yaml`".
    private static func value(_ kind: SettingKind) -> String {
        switch kind {
        case .text: "string"
        case .texts: "list of strings"
        case .integer(let range): "\(range.lowerBound)…\(range.upperBound)"
        case .seconds: "seconds"
        case .number(let range): "\(range.lowerBound.plain)…\(range.upperBound.plain)"
        case .flag: "true or false"
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: " or ")
        case .arguments: "table"
        case .list: "list"
        }
    }
}
