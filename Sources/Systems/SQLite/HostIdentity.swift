// Which process holds messages, so that others on the machine can see at once when it is gone.
import Glibc

/// A process, so described that a reused pid is not taken for it.
struct HostIdentity: Sendable, Equatable {
    var pid: Int32
    /// Clock ticks from boot to its start.
    var started: Int64
    /// Names this run of the kernel.
    var boot: String
    /// The pid means something only inside it.
    var namespace: String

    /// What can be said of it from where we stand.
    enum Fate { case alive, dead, unknown }

    static let current = HostIdentity(pid: getpid())

    init(pid: Int32) {
        self.pid = pid
        started = Self.startTicks(of: pid) ?? 0
        boot = Self.text(of: "/proc/sys/kernel/random/boot_id") ?? ""
        namespace = Self.linkTarget("/proc/self/ns/pid")
    }

    init(pid: Int32, started: Int64, boot: String, namespace: String) {
        self.pid = pid
        self.started = started
        self.boot = boot
        self.namespace = namespace
    }

    func fate(seenBy observer: HostIdentity) -> Fate {
        if boot.isEmpty || observer.boot.isEmpty { return .unknown }
        // The file is not on a network disk (WAL forbids it), so another boot id means: before a reboot.
        if boot != observer.boot { return .dead }
        if namespace.isEmpty || namespace != observer.namespace || started == 0 { return .unknown }
        return Self.startTicks(of: pid) == started ? .alive : .dead
    }

    /// Field 22 of `/proc/PID/stat`; nil when there is no such process, or only what is left of it (a zombie).
    private static func startTicks(of pid: Int32) -> Int64? {
        guard let stat = text(of: "/proc/\(pid)/stat"), let name = stat.lastIndex(of: ")") else { return nil }
        // The name may contain anything, so fields are counted from its closing parenthesis: field 3 is next.
        let fields = stat[stat.index(after: name)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return Int64(fields[19])
    }

    private static func text(of path: String) -> String? {
        // What is in /proc has no size beforehand, so it is read piece by piece.
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes[..<count], as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private static func linkTarget(_ path: String) -> String {
        var bytes = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self) : ""
    }
}
