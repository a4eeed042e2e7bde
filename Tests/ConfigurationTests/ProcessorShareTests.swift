// How many tasks run at a time by default: CPUs by affinity and by the quotas of cgroups, out of made-up trees.
import Foundation
import TestKit
import Testing

@testable import Configuration

@Suite("CPUs that may be used")
struct ProcessorShareTests {
    private static let unified = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    private static let old = """
        33 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        34 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
        """

    private func share(
        mounts: String, own: String, allowed: Int = 8, _ files: [String: String]
    ) throws -> ProcessorShare {
        var all = files
        all["proc/self/mountinfo"] = mounts
        all["proc/self/cgroup"] = own
        return try TemporaryFolder.with(all) { ProcessorShare.read(root: $0 + "/", allowed: allowed) }
    }

    @Test("version 2: the lowest quota of the cgroups above us holds, a part of a CPU counts as one")
    func unified() throws {
        let slice = "sys/fs/cgroup/system.slice"
        let own = "0::/system.slice/taskhost.service\n"
        let found = try share(
            mounts: Self.unified, own: own,
            [
                "\(slice)/cpu.max": "150000 100000\n", "\(slice)/taskhost.service/cpu.max": "max 100000\n",
                "sys/fs/cgroup/elsewhere/cpu.max": "10000 100000\n",
            ])
        #expect(found == ProcessorShare(allowed: 8, quota: 1.5, file: "/sys/fs/cgroup/system.slice/cpu.max"))
        #expect(found.count == 2 && found.text.contains("quota 1.5 in /sys/fs/cgroup/system.slice/cpu.max"))
        let inner = try share(
            mounts: Self.unified, own: own,
            ["\(slice)/cpu.max": "400000 100000\n", "\(slice)/taskhost.service/cpu.max": "50000 100000\n"])
        #expect(inner.quota == 0.5 && inner.count == 1)
    }

    @Test("version 1: the cpu controller's own tree, also of a container that sees only its part")
    func controllers() throws {
        let place = "sys/fs/cgroup/cpu,cpuacct"
        let own = "5:memory:/docker/4f\n4:cpu,cpuacct:/docker/4f\n1:name=systemd:/docker/4f\n"
        let whole = try share(
            mounts: Self.old, own: own,
            [
                "\(place)/docker/4f/cpu.cfs_quota_us": "300000\n", "\(place)/docker/4f/cpu.cfs_period_us": "100000\n",
                "\(place)/cpu.cfs_quota_us": "-1\n", "\(place)/cpu.cfs_period_us": "100000\n",
            ])
        #expect(whole.count == 3 && whole.file == "/sys/fs/cgroup/cpu,cpuacct/docker/4f/cpu.cfs_quota_us")
        let part = try share(
            mounts: Self.old.replacing("0:30 / ", with: "0:30 /docker/4f "), own: own,
            ["\(place)/cpu.cfs_quota_us": "200000\n", "\(place)/cpu.cfs_period_us": "100000\n"])
        #expect(part.count == 2)
    }

    @Test("both versions mounted: a quota is found in either")
    func hybrid() throws {
        let found = try share(
            mounts: Self.old + "\n" + Self.unified, own: "4:cpu,cpuacct:/a\n0::/a\n",
            [
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            ])
        #expect(found.count == 1)
    }

    @Test("without a quota, and with one above it, the affinity mask holds; what cannot be read bounds nothing")
    func mask() throws {
        let free = try share(mounts: Self.unified, own: "0::/\n", allowed: 3, ["sys/fs/cgroup/cpu.max": "max 100000\n"])
        #expect(free == ProcessorShare(allowed: 3) && free.count == 3 && free.text.contains("affinity"))
        let wide = ["sys/fs/cgroup/cpu.max": "900000 100000"]
        let large = try share(mounts: Self.unified, own: "0::/\n", allowed: 3, wide)
        #expect(large.count == 3)
        for text in ["", "garbage", "-1 100000", "100000 0", "100000"] {
            #expect(try share(mounts: Self.unified, own: "0::/\n", ["sys/fs/cgroup/cpu.max": text]).count == 8)
        }
        #expect(try share(mounts: "garbage\n- cgroup2\n", own: "0::", [:]).count == 8)
        #expect(try share(mounts: "", own: "", allowed: 0, [:]).count == 1)
    }

    @Test("this machine tells")
    func here() {
        let found = ProcessorShare.read()
        #expect(found.count >= 1 && found.allowed <= ProcessInfo.processInfo.processorCount)
    }
}
