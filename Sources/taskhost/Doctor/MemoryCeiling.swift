// How much memory this process and its children may have: cgroup v2, or the machine's.
import Foundation

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
        func text(_ path: String) -> String? {
            FileManager.default.contents(atPath: root + path).map { String(decoding: $0, as: UTF8.self) }
        }
        var lowest = text("proc/meminfo").flatMap(machine).map { MemoryCeiling(mebibytes: $0 >> 10, file: nil) }
        for folder in folders(mounts: text("proc/self/mountinfo") ?? "", own: text("proc/self/cgroup") ?? "") {
            let file = "\(folder)/memory.max"
            // "max": no limit.
            guard let bytes = text(String(file.dropFirst())).flatMap({ Int($0.trimmed) }) else { continue }
            if bytes >> 20 < lowest?.mebibytes ?? .max { lowest = MemoryCeiling(mebibytes: bytes >> 20, file: file) }
        }
        return lowest
    }

    /// KiB.
    private static func machine(_ meminfo: String) -> Int? {
        let line = meminfo.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }

    /// Our cgroup's folder and those above it, as far as they are to be seen.
    /// - Parameters:
    ///   - mounts: /proc/self/mountinfo: "30 23 0:26 ROOT POINT OPTIONS … - cgroup2 …".
    ///   - own: /proc/self/cgroup, with a line "0::PATH".
    private static func folders(mounts: String, own: String) -> [String] {
        guard let line = own.split(separator: "\n").first(where: { $0.hasPrefix("0::") }) else { return [] }
        let mount = mounts.split(separator: "\n").map { $0.split(separator: " ") }.first { fields in
            fields.firstIndex(of: "-").map { fields.dropFirst($0 + 1).first == "cgroup2" } ?? false
        }
        guard let mount, mount.count > 4 else { return [] }
        // Without a namespace of its own, a container sees its part of the tree mounted, and its place in the whole.
        var path = line.dropFirst(3).split(separator: "/")[...]
        let top = mount[3].split(separator: "/")
        if path.starts(with: top) { path = path.dropFirst(top.count) }
        return (0...path.count).reversed().map { depth in
            ([mount[4]] + path.prefix(depth)).joined(separator: "/")
        }
    }
}
