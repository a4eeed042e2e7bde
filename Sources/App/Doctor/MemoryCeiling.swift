// How much memory this process and its children may have: cgroup v2, or the machine's.
import Configuration

struct MemoryCeiling: Equatable {
    var mebibytes: Int
    /// The file that says so; nil: all that the machine has.
    var file: String?

    var isCgroup: Bool { file != nil }
    var text: String {
        file == nil ? "the machine has \(mebibytes) MiB" : "\(mebibytes) MiB is what the cgroup may use"
    }
    /// How to have more.
    var way: String { file.map { "raise the memory limit of container or unit (\($0))" } ?? "take a larger machine" }

    /// nil: /proc does not tell.
    /// - Parameter root: "/", or for tests a folder that looks like it.
    static func read(root: String = "/") -> MemoryCeiling? {
        let tree = CgroupTree(root: root)
        var lowest = tree.text("/proc/meminfo").flatMap(machine).map { MemoryCeiling(mebibytes: $0 >> 10, file: nil) }
        for folder in tree.unified {
            let file = "\(folder)/memory.max"
            // "max": no limit.
            guard let bytes = tree.text(file).flatMap({ Int($0) }) else { continue }
            if bytes >> 20 < lowest?.mebibytes ?? .max { lowest = MemoryCeiling(mebibytes: bytes >> 20, file: file) }
        }
        return lowest
    }

    /// KiB.
    private static func machine(_ meminfo: String) -> Int? {
        let line = meminfo.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
}
