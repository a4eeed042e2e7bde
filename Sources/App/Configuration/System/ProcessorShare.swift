// How many CPUs this process and its children may use: the affinity mask, and the quota of its cgroup, v1 or v2.
import CLinux
import TaskModel

package struct ProcessorShare: Equatable {
    /// CPUs we may be scheduled on, ≥ 1.
    var allowed: Int
    /// CPUs' worth of time that the cgroup gives; nil: no bound.
    var quota: Double?
    /// The file that says so.
    package var file: String?

    /// What can run at a time; a part of a CPU counts as one.
    package var count: Int { max(1, min(allowed, quota.map { Int(min($0.rounded(.up), 1e6)) } ?? allowed)) }

    /// "2 CPUs may be used (quota 1.5 in /sys/fs/cgroup/cpu.max)".
    package var text: String {
        let why =
            if let quota, let file, quota < Double(allowed) { "quota \(quota.plain) in \(file)" } else {
                "as the affinity mask says"
            }
        return "\(count) may be used (\(why))"
    }

    /// - Parameters:
    ///   - root: "/", or for tests a folder that looks like it.
    ///   - allowed: CPUs in the affinity mask.
    package static func read(root: String = "/", allowed: Int = Int(clinux_affinity_count())) -> ProcessorShare {
        let tree = CgroupTree(root: root)
        var share = ProcessorShare(allowed: max(1, allowed))
        func consider(_ quota: Double?, _ file: String) {
            guard let quota, quota > 0, quota < share.quota ?? .infinity else { return }
            share.quota = quota
            share.file = file
        }
        for folder in tree.unified {
            // "150000 100000"; "max 100000": no bound.
            let words = (tree.text("\(folder)/cpu.max") ?? "").split(separator: " ").map { Double($0) }
            guard words.count == 2, let time = words[0], let period = words[1], period > 0 else { continue }
            consider(time / period, "\(folder)/cpu.max")
        }
        for folder in tree.controller("cpu") {
            guard let time = tree.text("\(folder)/cpu.cfs_quota_us").flatMap(Double.init), time > 0,
                let period = tree.text("\(folder)/cpu.cfs_period_us").flatMap(Double.init), period > 0
            else { continue }
            consider(time / period, "\(folder)/cpu.cfs_quota_us")
        }
        return share
    }
}
