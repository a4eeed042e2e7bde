// What `taskhost doctor` makes of what it reads: memory, clocks, schedules.
import Foundation
import Ports
import Settings
import TaskModel
import TestKit
import Testing

@testable import Configuration
@testable import Doctor

@Suite("Doctor")
struct DoctorTests {
    // ---- how much memory there is ----

    private static let host = """
        24 1 0:22 / /proc rw - proc proc rw
        30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate
        """

    /// - Parameter files: by their path.
    private func ceiling(
        mounts: String = host, own: String, _ files: [String: String], meminfo: String? = "MemTotal:  8388608 kB\n"
    ) throws -> MemoryCeiling? {
        var all = files
        all["proc/self/mountinfo"] = mounts
        all["proc/self/cgroup"] = own
        all["proc/meminfo"] = meminfo
        return try TemporaryFolder.with(all) { MemoryCeiling.read(root: $0 + "/") }
    }

    @Test("the lowest limit of the cgroups above us holds")
    func nested() throws {
        let slice = "sys/fs/cgroup/system.slice"
        let found = try ceiling(
            own: "0::/system.slice/taskhost.service\n",
            [
                "\(slice)/memory.max": "\(512 << 20)\n", "\(slice)/taskhost.service/memory.max": "max\n",
                "sys/fs/cgroup/elsewhere/memory.max": "1048576\n",
            ])
        #expect(found == MemoryCeiling(mebibytes: 512, file: "/sys/fs/cgroup/system.slice/memory.max"))
    }

    @Test("a container's own limit is found, with a namespace of its own and without")
    func container() throws {
        let limit = ["sys/fs/cgroup/memory.max": "\(256 << 20)\n"]
        let expected = MemoryCeiling(mebibytes: 256, file: "/sys/fs/cgroup/memory.max")
        #expect(try ceiling(own: "0::/\n", limit) == expected)
        let mounts = "30 23 0:26 /docker/4f2a /sys/fs/cgroup ro - cgroup2 cgroup rw\n"
        #expect(try ceiling(mounts: mounts, own: "12:cpu:/x\n0::/docker/4f2a\n", limit) == expected)
    }

    @Test("without a limit it is the machine's memory, and nothing where even that is not told")
    func machine() throws {
        let whole = MemoryCeiling(mebibytes: 8192, file: nil)
        #expect(try ceiling(own: "0::/a\n", ["sys/fs/cgroup/a/memory.max": "max\n"]) == whole)
        #expect(try ceiling(own: "0::/\n", ["sys/fs/cgroup/memory.max": "\(1 << 50)\n"]) == whole)
        #expect(try ceiling(own: "4:memory:/old\n", [:]) == whole)
        #expect(try ceiling(mounts: "garbage\n- cgroup2\n", own: "0::", [:], meminfo: nil) == nil)
    }

    @Test("this machine tells")
    func here() throws {
        #expect(try #require(MemoryCeiling.read()).mebibytes > 0)
    }

    // ---- memory limits against it ----

    private func task(_ name: String, memory: Int?, max: Int? = nil, key: String? = nil) -> TaskManifest {
        var options = TaskOptions()
        options.memoryLimit = memory
        options.maxConcurrent = max
        options.limitKey = key
        return TaskManifest(index: 0, name: name, parameters: [], result: nil, options: options)
    }

    private func memory(_ toml: String, _ tasks: [TaskManifest], _ ceiling: MemoryCeiling) throws -> [Finding] {
        let settings = try TOMLReader(file: "t.toml", text: toml).read()
        let configuration = try ConfigurationBuilder(settings: settings, hostName: "h", processors: 4).build()
        return MemoryCheck(configuration: configuration, tasks: tasks, ceiling: ceiling).findings()
    }

    private static let container = MemoryCeiling(mebibytes: 1000, file: "/sys/fs/cgroup/memory.max")

    @Test("limits that the slots may exceed together are a warning that says what fits")
    func tooMuch() throws {
        let findings = try memory("", [task("a", memory: 300), task("b", memory: 10)], Self.container)
        #expect(findings.map(\.level) == [.warn])
        #expect(findings[0].detail.hasPrefix("4 slots may use 1200 MiB by the tasks' memory limits, and 1000 MiB is"))
        let fix = "--concurrency 3, or set memory_limit lower, or raise the memory limit of container or unit"
        #expect(findings[0].fix?.hasPrefix(fix) == true)
        let autoscaled = try memory("[worker]\nautoscale = \"8,1\"", [task("a", memory: 200)], Self.container)
        #expect(autoscaled[0].detail.hasPrefix("8 slots may use 1600 MiB"))
        // Not even one.
        let huge = try memory("", [task("a", memory: 2000)], Self.container)
        #expect(huge[0].fix?.contains("--concurrency") == false)
    }

    @Test("what the operator says wins, and a task that runs once at a time counts once, unless by key")
    func exact() throws {
        #expect(try memory("[tasks.a]\nmemory_limit = 100", [task("a", memory: 300)], Self.container)[0].level == .ok)
        let both = [task("a", memory: 600, max: 1), task("b", memory: 100)]
        #expect(try memory("", both, Self.container)[0].level == .ok)
        #expect(try memory("", [task("a", memory: 600, max: 1, key: "x")], Self.container)[0].level == .warn)
    }

    @Test("tasks without a limit are noted where a cgroup has one, with what would fit; not on a whole machine")
    func unlimited() throws {
        let findings = try memory("", [task("free", memory: nil), task("off", memory: 0)], Self.container)
        #expect(findings.map(\.level) == [.note] && findings[0].detail.hasSuffix("free, off"))
        #expect(findings[0].fix?.hasPrefix("memory_limit = 225 in [worker]") == true)
        let machine = MemoryCeiling(mebibytes: 1000, file: nil)
        #expect(try memory("", [task("free", memory: nil)], machine).map(\.level) == [.ok])
        #expect(try memory("", [], Self.container).isEmpty)
    }

    // ---- clocks ----

    @Test("a clock is wrong only if it is so whatever the answer took")
    func clocks() {
        func level(_ theirs: Double, took: Double = 0.2, coarse: Double = 0) -> Finding.Level {
            let sample = ClockSample(theirs: theirs, coarse: coarse, asked: 1000, answered: 1000 + took)
            return ClockCheck.finding(
                ahead: sample.ahead, uncertainty: sample.uncertainty, place: "there", harm: "harm"
            ).level
        }
        #expect(level(1000.1) == .ok && level(1001.1) == .ok && level(1001.3) == .warn && level(998.8) == .warn)
        #expect(level(1003, took: 4) == .ok && level(1001.3, coarse: 0.5) == .ok && level(1001.8, coarse: 0.5) == .warn)
    }

    // ---- schedules ----

    private func bundle(_ version: String, _ change: (inout ScheduleManifest) -> Void) -> BundleManifest {
        var schedule = ScheduleManifest(name: "files.sweep", task: "files.clean")
        change(&schedule)
        return BundleManifest(
            name: "files", version: version, abiMajor: 1, abiMinor: 1, sdk: "1.1.0 c",
            tasks: [task("files.clean", memory: nil)], schedules: [schedule])
    }

    private func schedules(_ toml: String, _ manifests: [BundleManifest]) throws -> [Finding] {
        let settings = try TOMLReader(file: "t.toml", text: toml).read()
        let builder = ConfigurationBuilder(settings: settings, hostName: "h", processors: 1)
        return ScheduleCheck(manifests: manifests, builder: builder).findings()
    }

    @Test("schedules that cannot be sent as they stand are found, good ones are counted")
    func scheduleFindings() throws {
        let hourly = bundle("1") { $0.cron = "0 * * * *" }
        #expect(try schedules("", [hourly]) == [.ok("schedules", "1, of which bundles bring 1")])
        #expect(try schedules("", []).isEmpty)
        let clash = try schedules("", [hourly, bundle("2") { $0.every = 5 }])
        #expect(clash.map(\.level) == [.warn] && clash[0].detail.contains("that of files 2 is not"))
        let changed = try schedules("[schedules.\"files.sweep\"]\ntimezone = \"Europe/Atlantis\"", [hourly])
        #expect(changed.map(\.level) == [.fail] && changed[0].detail.contains("no time zone"))
        let stray = try schedules("[schedules.x]\nenabled = false", [hourly])
        #expect(stray.map(\.level) == [.warn] && stray[0].detail.contains("[schedules.x]"))
        let mail = bundle("1") {
            $0.task = "mail.send"
            $0.every = 5
        }
        let elsewhere = try schedules("", [mail])
        #expect(elsewhere.map(\.level) == [.note] && elsewhere[0].detail.contains("mail.send"))
        #expect((clash + changed + stray + elsewhere).allSatisfy { $0.fix != nil })
    }
}
