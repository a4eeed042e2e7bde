// The documents about settings and exit statuses say what the program does.
import Foundation
import Testing

@testable import taskhost

@Suite("Documentation")
struct DocumentationTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "docs")

    private func document(_ name: String) throws -> String {
        try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
    }

    @Test("the example file is understood, and makes a configuration")
    func example() throws {
        let layer = try TOMLReader(file: "docs/taskhost.toml", text: document("taskhost.toml")).read()
        let made = try ConfigurationBuilder(settings: layer, hostName: "h", processors: 1).build()
        #expect(made.queues.entries.map(\.name) == ["urgent", "normal"])
        #expect(made.tasks["images.process"]?.hardLimit == 30)
    }

    @Test("the example file shows every setting, and what it comments out is right too")
    func exampleIsComplete() throws {
        let text = try document("taskhost.toml").split(separator: "\n", omittingEmptySubsequences: false)
            .map { line in
                // "# key = value" is a setting commented out; other comments are sentences.
                line.firstMatch(of: #/^# ([a-z_]+ = .*)$/#).map { String($0.1) } ?? String(line)
            }.joined(separator: "\n")
        let layer = try TOMLReader(file: "docs/taskhost.toml", text: text).read()
        for setting in Settings.all {
            #expect(layer.values.keys.contains { setting.matches($0) }, "\(setting.name) is not shown")
        }
    }

    @Test("the table of settings has a row for each, with its default and its variables")
    func table() throws {
        let lines = try document("configuration.md").split(separator: "\n").map(String.init)
        var section = ""
        var rows: [String: String] = [:]
        for line in lines {
            if line.hasPrefix("## `[") { section = String(line.dropFirst(5).prefix { $0 != "." && $0 != "]" }) }
            if let match = line.firstMatch(of: #/^\| `([a-z_]+)` /#) { rows["\(section).\(match.1)"] = line }
        }
        for setting in Settings.all {
            let key = "\(setting.path[0]).\(setting.path[setting.path.count - 1])"
            let row = rows.removeValue(forKey: key)
            #expect(row?.contains("| \(setting.fallback) |") == true, "\(setting.name): row or default missing")
            for variable in setting.environment { #expect(row?.contains("`\(variable)`") == true, "\(setting.name)") }
        }
        #expect(rows.isEmpty, "rows about settings that are not there: \(rows.keys)")
    }

    @Test("every exit status is documented")
    func statuses() throws {
        let text = try document("cli.md")
        for status in ExitStatus.allCases {
            #expect(text.contains("| \(status.rawValue) | \(status.meaning) |"), "\(status.rawValue)")
        }
    }
}
