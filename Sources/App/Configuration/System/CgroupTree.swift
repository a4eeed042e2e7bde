// Where the limits of our own cgroup are: its folder and those above it, of cgroup v2 or of a controller of v1.
import Linux
import Settings

package struct CgroupTree {
    /// "/", or for tests a folder that looks like it.
    let root: String
    private let mounts: [[Substring]]
    private let own: [Substring]

    /// - Parameter root: "/", or for tests a folder that looks like it.
    package init(root: String = "/") {
        self.root = root
        mounts = (Self.text("proc/self/mountinfo", in: root) ?? "").split(separator: "\n").map {
            $0.split(separator: " ")
        }
        own = (Self.text("proc/self/cgroup", in: root) ?? "").split(separator: "\n")
    }

    /// nil: there is no such file.
    /// - Parameter path: from the top, with its slash.
    package func text(_ path: String) -> String? { Self.text(String(path.dropFirst()), in: root) }

    private static func text(_ path: String, in root: String) -> String? {
        do throws(SystemFailure) {
            return String(decoding: try Files.read(root + path), as: UTF8.self).trimmed
        } catch {
            return nil
        }
    }

    /// Innermost first, as far as they are to be seen.
    package var unified: [String] {
        guard let line = own.first(where: { $0.hasPrefix("0::") }) else { return [] }
        return folders(at: line.dropFirst(3)) { kind, _ in kind == "cgroup2" }
    }

    /// The same of version 1, where each controller has a tree: own lines are "4:cpu,cpuacct:PATH".
    func controller(_ name: Substring) -> [String] {
        let line = own.map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }.first {
            $0.count == 3 && $0[1].split(separator: ",").contains(name)
        }
        guard let line else { return [] }
        return folders(at: line[2]) { kind, options in
            kind == "cgroup" && options.split(separator: ",").contains(name)
        }
    }

    /// A line of mountinfo: "30 23 0:26 ROOT POINT OPTIONS … - KIND SOURCE OPTIONS".
    private func folders(
        at place: Substring, _ fits: (_ kind: Substring, _ options: Substring) -> Bool
    ) -> [String] {
        let mount = mounts.first { fields in
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 1 else { return false }
            return fits(fields[dash + 1], fields.last ?? "")
        }
        guard let mount, mount.count > 4 else { return [] }
        // Without a namespace of its own, a container sees its part of the tree mounted, and its place in the whole.
        var path = place.split(separator: "/")[...]
        let top = mount[3].split(separator: "/")
        if path.starts(with: top) { path = path.dropFirst(top.count) }
        return (0...path.count).reversed().map { depth in
            ([mount[4]] + path.prefix(depth)).joined(separator: "/")
        }
    }
}
