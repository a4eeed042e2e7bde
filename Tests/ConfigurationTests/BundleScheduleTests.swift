// Schedules of bundles under what the operator says of them.
import Beat
import Settings
import TaskModel
import TaskhostJSON
import Testing

@testable import Configuration

@Suite struct BundleScheduleTests {
    private static let sweep: ScheduleManifest = {
        var made = ScheduleManifest(name: "files.sweep", task: "files.clean")
        made.cron = "30 2 * * *"
        made.timezone = "Europe/Berlin"
        made.argsJSON = "[1, 123456789012345678901234567890]"
        made.kwargsJSON = #"{"deep": null}"#
        made.queue = "night"
        made.priority = 3
        made.missed = "skip"
        made.expires = 60
        return made
    }()

    private func manifest(_ schedule: ScheduleManifest = sweep) -> BundleManifest {
        BundleManifest(
            name: "files", version: "1", abiMajor: 1, abiMinor: 1, sdk: "1.1.0 c", tasks: [], schedules: [schedule])
    }

    private func tasks(_ toml: String) throws -> [ScheduledTask] {
        let settings = try TOMLReader(file: "t.toml", text: toml).read()
        let builder = ConfigurationBuilder(settings: settings, hostName: "h", processors: 1)
        _ = try builder.build()
        return try BundleSchedules.tasks(of: [manifest()], under: builder)
    }

    @Test("all that a bundle says of a schedule is taken, arguments as they are")
    func whole() throws {
        let task = try #require(try tasks("").first)
        #expect(task.entry.name == "files.sweep" && task.task == "files.clean")
        #expect(task.text == "30 2 * * * (Europe/Berlin)")
        #expect(task.entry.missed == .skip && task.queue == "night" && task.priority == 3 && task.expires == 60)
        #expect(String(decoding: JSON.array(task.args).bytes, as: UTF8.self) == "[1,123456789012345678901234567890]")
        #expect(task.kwargs == [JSONMember(key: "deep", value: .null)])
    }

    @Test("the operator's keys take the place of the bundle's, the others stay")
    func changed() throws {
        let task = try #require(
            try tasks("[schedules.\"files.sweep\"]\nevery = 600\nargs = [2]\nqueue = \"day\"").first)
        #expect(task.text == "every 600 s" && task.queue == "day" && task.args == [.int(2)])
        #expect(task.priority == 3 && task.task == "files.clean" && task.kwargs.count == 1)
    }

    @Test("the operator switches off what he names, and nothing else")
    func off() throws {
        let named = try tasks("[schedules.\"files.sweep\"]\nenabled = false\n[schedules.a]\ntask = \"t\"\nevery = 1")
        #expect(named.map(\.entry.name) == ["a"])
        let own = try tasks("[schedules.a]\ntask = \"t\"\nevery = 1\nenabled = false")
        #expect(own.map(\.entry.name) == ["files.sweep"])
    }

    @Test("a wrong change names the line, a wrong bundle its schedule")
    func wrong() throws {
        #expect {
            try tasks("[schedules.\"files.sweep\"]\ntimezone = \"Europe/Atlantis\"")
        } throws: { error in
            "\(error)".contains("t.toml:2") && "\(error)".contains("no time zone")
        }
        #expect(BundleSchedules.objection(to: manifest()) == nil)
        var schedule = Self.sweep
        schedule.timezone = "Mars/Olympus"
        let objection = try #require(BundleSchedules.objection(to: manifest(schedule)))
        #expect(
            objection.hasPrefix("cannot be used: schedule files.sweep, timezone: no time zone \"Mars/Olympus\": write"))
    }

    @Test("what is said of a schedule that nobody brings is found")
    func orphans() throws {
        let settings = try TOMLReader(file: "t.toml", text: "[schedules.x]\nenabled = false").read()
        let builder = ConfigurationBuilder(settings: settings, hostName: "h", processors: 1)
        #expect(BundleSchedules.orphans([manifest()], under: builder) == ["x"])
    }

    @Test("of two that two bundles bring under one name the first is sent, whole")
    func clash() throws {
        var other = Self.sweep
        other.cron = nil
        other.every = 5
        other.queue = "day"
        let both = [manifest(), manifest(other)]
        let builder = ConfigurationBuilder(settings: SettingsLayer(), hostName: "h", processors: 1)
        let tasks = try BundleSchedules.tasks(of: both, under: builder)
        #expect(tasks.map(\.text) == ["30 2 * * * (Europe/Berlin)"] && tasks.map(\.queue) == ["night"])
        let clashes = BundleSchedules.clashes(both)
        #expect(clashes == [.init(name: "files.sweep", kept: "files 1", passedOver: "files 1")])
    }
}
