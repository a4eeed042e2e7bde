// `memsample` and `memdump`: the memory of this process, in the form of Celery's.
import Glibc

struct MemorySamples {
    private var taken: [String] = []
    /// So that a monitor that samples for months costs nothing.
    private static let capacity = 1000
    /// So many are shown.
    private static let shown = 10
    private let resident: () -> UInt64

    /// - Parameter resident: bytes of this process in memory.
    init(resident: @escaping () -> UInt64 = Self.ownResident) { self.resident = resident }

    mutating func sample() -> String {
        let now = Self.text(resident())
        if taken.count == Self.capacity { taken.removeFirst() }
        taken.append(now)
        return now
    }

    /// What was sampled so far, every n-th when that is more than ten; the next one starts again.
    mutating func dump() -> String {
        let step = max(1, taken.count / Self.shown)
        let chosen = taken.count <= Self.shown ? taken : (0..<Self.shown).map { taken[$0 * step] }
        taken = []
        let lines = chosen.isEmpty ? [] : ["- rss (sample):"] + chosen.map { "-    > \($0)," }
        return (lines + ["- rss (end): \(Self.text(resident()))."]).map { $0 + "\n" }.joined()
    }

    /// "60.668MB": in the largest unit that leaves one whole, with five digits.
    static func text(_ bytes: UInt64) -> String {
        let units: [(size: Double, name: String)] = [
            (1_099_511_627_776, "TB"), (1_073_741_824, "GB"), (1_048_576, "MB"), (1024, "KB"),
        ]
        guard let unit = units.first(where: { Double(bytes) >= $0.size }) else { return "\(bytes)b" }
        let value = Double(bytes) / unit.size
        if value == value.rounded() { return "\(Int(value))\(unit.name)" }
        var decimals = 4.0
        var bound = 10.0
        while value >= bound {
            decimals -= 1
            bound *= 10
        }
        let scale = pow(10, max(1, decimals))
        return "\((value * scale).rounded(.toNearestOrEven) / scale)\(unit.name)"
    }

    private static func ownResident() -> UInt64 {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let fields = text.split(separator: " ")
        let pages = fields.count > 1 ? UInt64(fields[1]) ?? 0 : 0
        return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
}
