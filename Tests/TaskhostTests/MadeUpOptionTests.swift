// An option that is only in the table of task options is everywhere where options are read or told.
import Ports
import Settings
import TaskModel
import TaskhostJSON
import Testing

@testable import Configuration
@testable import Control
@testable import Doctor
@testable import Runner
@testable import Worker
@testable import taskhost

@Suite("An option of tasks that is only in the table")
struct MadeUpOptionTests {
    /// It lies where `keep` does, which is not in this table.
    private let rows: [any TaskOptionRow] =
        TaskOptionTable.rows.filter { $0.name != "keep" } + [
            TaskOption(
                "made_up", \.keep, .integer(0...9), standard: 4, attribute: "celerys_made_up",
                setting: .init("made_up_key", "a sentence"),
                worker: .init(
                    celery: "task_made_up", environment: ["TASKHOST_MADE_UP"], "a sentence about the default"))
        ]
    private var known: [Setting] { Settings.listed(rows) }

    private func manifest() throws -> BundleManifest {
        let text = #"{"name": "b", "tasks": [{"name": "t", "options": {"made_up": 7}}]}"#
        return try BundleManifest(parsing: Array(text.utf8), options: rows)
    }

    private func layer(_ text: String) throws -> SettingsLayer {
        try TOMLReader(file: "t.toml", text: text, known: known).read()
    }

    @Test("is read from a bundle's manifest")
    func read() throws {
        #expect(try manifest().tasks[0].options.keep == 7)
    }

    @Test("is in the lists of bundles and of registered tasks")
    func listed() throws {
        let manifest = try manifest()
        let report = BundleReport(path: "b.so", status: .active, manifest: manifest, zygotePID: nil)
        let told = BundleText.json([report], options: rows)
        #expect(told["bundles"]?.elements?[0]["tasks"]?.elements?[0]["made_up"] == 7)
        let registered = RegisteredReply.json(manifest.tasks, items: ["celerys_made_up"], options: rows)
        #expect(registered == ["t [celerys_made_up=7]"])
    }

    @Test("is set for one task and, as the default, for all")
    func settings() throws {
        var layer = try layer("[worker]\nmade_up_key = 3\n[tasks.t]\nmade_up_key = 5\n")
        #expect(layer.taskOptions(of: "t", rows).keep == 5)
        #expect(layer.taskDefaults(rows).keep == 3)
        layer.overlay(try EnvironmentReader.read(["TASKHOST_MADE_UP": "2"], known: known))
        #expect(layer.taskDefaults(rows).keep == 2)
        #expect(throws: SettingsFailure.self) { try self.layer("[tasks.t]\nmade_up_key = 10\n") }
    }

    @Test("is told by `inspect conf`, set or not")
    func conf() throws {
        var configuration = try ConfigurationBuilder(settings: SettingsLayer(), hostName: "h", processors: 1).build()
        func told() -> JSON? {
            RemoteSettings(configuration, .init(folders: [], coloursLog: false), heartbeat: nil, options: rows)
                .members(withDefaults: false).first { $0.key == "task_made_up" }?.value
        }
        #expect(told() == 4)
        configuration.taskDefaults = try layer("[worker]\nmade_up_key = 3\n").taskDefaults(rows)
        #expect(told() == 3)
    }

    @Test("is in the doctor's list and in the documentation, with its default")
    func documented() throws {
        let defaults = EffectiveSettings.list(SettingsLayer(), [:], known: known)
        #expect(defaults.contains(.init(name: "worker.made_up_key", value: "4", origin: "default")))
        let set = EffectiveSettings.list(try layer("[tasks.t]\nmade_up_key = 5\n"), [:], known: known)
        #expect(set.contains(.init(name: "tasks.t.made_up_key", value: "5", origin: "t.toml:2:1")))
        let document = SettingsTables(known)
        #expect(
            document.rows("worker").contains(
                "| `made_up_key` | 0…9 | 4 | `TASKHOST_MADE_UP` | a sentence about the default |"))
        #expect(document.rows("tasks").contains("| `made_up_key` | 0…9 | bundle's |  | a sentence |"))
    }
}
