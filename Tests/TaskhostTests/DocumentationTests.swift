// The documents about settings, remote commands and exit statuses say what the program does.
import Control
import Foundation
import Settings
import Testing

@testable import Configuration
@testable import Output

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

    @Test("the tables of settings are those that the settings make")
    func tables() throws {
        let text = try document("configuration.md")
        try compare("configuration.md", SettingsTables().filled(text))
        let sections = Set(Settings.all.map { $0.path[0] })
        for section in sections { #expect(text.contains("## `[\(section)"), "no section [\(section)]") }
    }

    @Test("the tables of remote commands are those that the commands make")
    func commands() throws {
        try compare("remote-control.md", CommandTables().filled(document("remote-control.md")))
        let text = try document("remote-control.md")
        for command in CommandTable.all.commands { #expect(text.contains("| `\(command.usage)` |"), "\(command.name)") }
    }

    /// Lines are told one by one. scripts/write-tables asks for the document to be written instead.
    private func compare(_ name: String, _ filled: String) throws {
        let text = try document(name)
        if ProcessInfo.processInfo.environment["TASKHOST_TEST_WRITES_DOCUMENTS"] != nil {
            return try filled.write(to: Self.folder.appending(path: name), atomically: true, encoding: .utf8)
        }
        let (here, made) = (text.split(separator: "\n"), filled.split(separator: "\n"))
        for line in made where !here.contains(line) { Issue.record("missing in docs/\(name): \(line)") }
        for line in here where !made.contains(line) { Issue.record("docs/\(name) says otherwise: \(line)") }
        #expect(text == filled, "scripts/write-tables writes the tables anew")
    }

    @Test("every exit status is documented")
    func statuses() throws {
        let text = try document("cli.md")
        for status in ExitStatus.allCases {
            #expect(text.contains("| \(status.rawValue) | \(status.meaning) |"), "\(status.rawValue)")
        }
    }

    @Test("every module stands in the table of modules")
    func modules() throws {
        let package = try String(
            contentsOf: Self.folder.deletingLastPathComponent().appending(path: "Package.swift"), encoding: .utf8)
        let text = try document("architecture.md")
        let places = package.matches(of: #/path: "(Sources/[\w\/-]+)"/#).map(\.1)
        #expect(places.count > 30)
        for place in places { #expect(text.contains("](../\(place))"), "\(place)") }
    }
}
