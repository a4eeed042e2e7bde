// Settings by their keys: values, defaults, and what is shown of them.
import Engine
import Settings
import Testing

@testable import Configuration

@Suite("Keys of settings")
struct KeyTests {
    private func layer(_ text: String) throws -> SettingsLayer { try TOMLReader(file: "t.toml", text: text).read() }

    @Test("every key of every section is in the list, once")
    func listed() {
        let names = Settings.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.first == "broker.url" && names.last == "hooks.*.environment")
        #expect(names.contains("worker.stall_after") && names.contains("worker.acks_late"))
        #expect(names.contains("tasks.*.acks_late"))
    }

    @Test("a key has its value as set, else its default, which is the one that is shown")
    func values() throws {
        let key = Settings.worker.stallAfter
        #expect(SettingsLayer()[key] == 30 && key.setting.fallback == "30")
        #expect(try layer("[worker]\nstall_after = 5\n")[key] == 5)
        #expect(try layer("[worker]\nstall_after = 5\n").origin(key) == "t.toml:2:1")
    }

    @Test("where 0 says none it is none, and the default holds only where nothing is said")
    func none() throws {
        let key = Settings.results.expires
        #expect(SettingsLayer()[key] == 86_400 && key.setting.fallback == "86400")
        #expect(try layer("[results]\nexpires = 0\n")[key] == nil)
    }

    @Test("a key under a name of the operator's is read by that name")
    func named() throws {
        let layer = try layer("[hooks.pager]\ntimeout = 3\n")
        #expect(layer[Settings.hooks.timeout, of: "pager"] == 3)
        #expect(layer[Settings.hooks.timeout, of: "other"] == 10)
        #expect(layer[Settings.hooks.tasks, of: "pager"] == ["*"])
    }

    @Test("the rule that stands for a default names the bound that the engine has")
    func rule() {
        let bound = EngineOptions(slots: 1, queues: [], nodeName: "n").maxPrefetch
        #expect(Settings.worker.prefetchMultiplier.setting.fallback == "up to \(bound) messages")
    }

    @Test("a made-up key fills an option by one row, set or not")
    func filled() throws {
        let key = Key<Double>("worker.made_up", .seconds(0...9), default: 4, "a sentence")
        let row = Filling<EngineOptions>(key, \.stallSeconds)
        var options = EngineOptions(slots: 1, queues: [], nodeName: "n")
        row.fill(&options, SettingsLayer())
        #expect(options.stallSeconds == 4)
        let known = Settings.all + [key.setting]
        row.fill(&options, try TOMLReader(file: "t.toml", text: "[worker]\nmade_up = 2\n", known: known).read())
        #expect(options.stallSeconds == 2)
        #expect(SettingsTables(known).rows("worker").last == "| `made_up` | seconds | 4 |  | a sentence |")
        #expect(throws: SettingsFailure.self) {
            try TOMLReader(file: "t.toml", text: "[worker]\nmade_up = 10\n", known: known).read()
        }
    }
}
