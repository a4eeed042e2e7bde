// Names of headers that most messages have, kept once instead of being made of bytes for each message.
internal import Glibc

public enum HeaderNames {
    /// nil: none of these, or empty.
    public static func known(_ bytes: UnsafeBufferPointer<UInt8>) -> String? { Table.shared.name(bytes) }

    private static let names: [StaticString] = [
        "lang", "task", "id", "shadow", "eta", "expires", "group", "group_index", "retries", "timelimit", "root_id",
        "parent_id", "argsrepr", "kwargsrepr", "origin", "ignore_result", "replaced_task_nesting", "stamped_headers",
        "stamps", "compression", "periodic_task_name", "x-first-death-exchange", "x-first-death-queue",
        "x-first-death-reason", "x-last-death-exchange", "x-last-death-queue", "x-last-death-reason", "x-death",
        "x-delivery-count",
    ]

    private struct Table: @unchecked Sendable {
        private struct Entry {
            let name: String
            let bytes: UnsafePointer<UInt8>
            let count: Int
        }

        private static let places = 128
        static let shared = Table()

        /// Never changed, never freed. An empty place ends a search.
        private let entries: UnsafeMutablePointer<Entry?>

        private init() {
            entries = .allocate(capacity: Self.places)
            entries.initialize(repeating: nil, count: Self.places)
            for name in names {
                var place = Self.place(name.utf8Start, name.utf8CodeUnitCount)
                while entries[place] != nil { place = (place + 1) % Self.places }
                entries[place] = Entry(name: "\(name)", bytes: name.utf8Start, count: name.utf8CodeUnitCount)
            }
        }

        private static func place(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int {
            (count &* 29 &+ Int(bytes[0]) &* 7 &+ Int(bytes[count - 1]) &* 3 &+ Int(bytes[count / 2])) % places
        }

        func name(_ key: UnsafeBufferPointer<UInt8>) -> String? {
            guard let bytes = key.baseAddress, key.count > 0 else { return nil }
            var next = Self.place(bytes, key.count)
            while let entry = entries[next] {
                if entry.count == key.count, memcmp(entry.bytes, bytes, key.count) == 0 { return entry.name }
                next = (next + 1) % Self.places
            }
            return nil
        }
    }
}
