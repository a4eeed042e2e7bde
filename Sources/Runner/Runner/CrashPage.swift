// Our view of the page a child fills when it crashes.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc

/// Written by the child, so believed only as far as it goes: it decides what a report says, never what is safe.
struct CrashPage {
    static let size = Int(RUNNER_CRASH_PAGE)

    private let page: UnsafeMutableRawPointer

    /// Maps the page of this file, whose size is settled from then on: a child that could truncate it would kill every
    /// process that reads it. The descriptor may be closed afterwards. nil: no memory.
    init?(_ descriptor: Int32) {
        guard ftruncate(descriptor, off_t(Self.size)) == 0, clinux_memfd_seal_size(descriptor) >= 0,
            let page = clinux_map_shared(descriptor, Self.size, true)
        else { return nil }
        self.page = page
    }

    /// Takes back the runs after `first` up to `last` that the child has not claimed.
    /// - Returns: the one it has claimed last: those after it will not begin. nil: none could be taken back.
    func recall(after first: UInt64, through last: UInt64) -> UInt64? {
        let offset = MemoryLayout<crash_page>.offset(of: \.claims)!
        let claimed = lane_recall(
            (page + offset).assumingMemoryBound(to: lane_claims.self), first, last)
        return claimed == .max ? nil : claimed
    }

    func unmap() {
        munmap(page, Self.size)
    }

    var isFilled: Bool { read(\.state) == CRASH_FILLED.rawValue }

    /// Whether the child has begun the task with this sequence number. Numbers are never used again, so what a
    /// former child left here cannot be mistaken.
    func hasBegun(_ sequence: UInt64) -> Bool {
        read(\.sequence) == sequence
    }

    /// The signal its handler saw, and where; nil when it saw none. Of a signal that somebody sent (abort, kill) the same
    /// bytes say who: no address then.
    var crash: (signal: Int32, address: UInt64?)? {
        isFilled ? (read(\.signal), read(\.code) > 0 ? read(\.address) : nil) : nil
    }

    /// The lines that the bundle's own handler wrote of it; as much as fits the page.
    var text: [String] {
        guard isFilled else { return [] }
        let from = Int(RUNNER_CRASH_TEXT_AT)
        let bytes = UnsafeRawBufferPointer(start: page + from, count: Self.size - from).prefix { $0 != 0 }
        return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }

    private func read<Field>(_ field: KeyPath<crash_page, Field>) -> Field {
        page.load(fromByteOffset: MemoryLayout<crash_page>.offset(of: field)!, as: Field.self)
    }
}
