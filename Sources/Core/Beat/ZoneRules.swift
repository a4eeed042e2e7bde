// When the clocks of a time zone are set: what the system's time zone files say (RFC 8536).

/// A zone's offsets from UTC, in seconds eastward, through all time.
struct ZoneRules: Sendable, Equatable {
    /// Seconds since 1970 at which the offset changes, in order, and the offset from each on.
    private var changes: [Int64] = []
    private var offsets: [Int64] = []
    /// Before the first change.
    private var first: Int64
    /// From the last change on; nil: as that left it.
    private var yearly: YearlyRule?

    /// The same at all times.
    init(offset: Int64) { first = offset }

    /// Of a `TZ` variable that names no file: "CET-1CEST,M3.5.0,M10.5.0/3".
    init?(posix text: String) {
        guard let rule = YearlyRule(text) else { return nil }
        (first, yearly) = (rule.standard, rule)
    }

    func offset(at time: Int64) -> Int64 {
        if let yearly, time >= changes.last ?? .min { return yearly.offset(at: time) }
        // How many changes there were by then.
        var (low, high) = (0, changes.count)
        while low < high {
            let middle = (low + high) / 2
            if changes[middle] <= time { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? first : offsets[low - 1]
    }
}

extension ZoneRules {
    /// What a file of the time zone data base holds; nil: it is none.
    init?(file bytes: [UInt8]) {
        var reader = Reader(bytes: bytes)
        guard let old = reader.header() else { return nil }
        // The first part has times of 32 bits, for readers of long ago; from version 2 on all follows once more.
        let counts: Reader.Counts
        if old.version == 0 {
            counts = old
        } else {
            reader.skip(old.length(timeSize: 4))
            guard let new = reader.header() else { return nil }
            counts = new
        }
        let timeSize = counts.version == 0 ? 4 : 8
        guard counts.types > 0, reader.has(counts.length(timeSize: timeSize)) else { return nil }
        changes = (0..<counts.changes).map { _ in reader.number(timeSize) }
        let kinds = (0..<counts.changes).map { _ in Int(reader.byte()) }
        let types = (0..<counts.types).map { _ in
            let offset = reader.number(4)
            reader.skip(2)
            return offset
        }
        guard kinds.allSatisfy(types.indices.contains), zip(changes, changes.dropFirst()).allSatisfy({ $0 < $1 }) else {
            return nil
        }
        offsets = kinds.map { types[$0] }
        first = types[0]
        guard timeSize == 8 else { return }
        reader.skip(counts.rest(timeSize: timeSize))
        let footer = reader.line()
        guard !footer.isEmpty else { return }
        guard let rule = YearlyRule(footer) else { return nil }
        yearly = rule
    }

    private struct Reader {
        struct Counts {
            var version: UInt8
            var isUTC: Int
            var isStandard: Int
            var leaps: Int
            var changes: Int
            var types: Int
            var letters: Int

            func length(timeSize: Int) -> Int { changes * (timeSize + 1) + types * 6 + rest(timeSize: timeSize) }

            /// What comes after the types, which is nothing to us: names, leap seconds, where rules were from.
            func rest(timeSize: Int) -> Int { letters + leaps * (timeSize + 4) + isStandard + isUTC }
        }

        let bytes: [UInt8]
        private var place = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        func has(_ count: Int) -> Bool { place + count <= bytes.count }
        mutating func skip(_ count: Int) { place = min(place + count, bytes.count) }

        mutating func byte() -> UInt8 {
            defer { place += 1 }
            return bytes[place]
        }

        mutating func number(_ size: Int) -> Int64 {
            var bits: UInt64 = 0
            for _ in 0..<size { bits = bits << 8 | UInt64(byte()) }
            return size == 4 ? Int64(Int32(truncatingIfNeeded: bits)) : Int64(bitPattern: bits)
        }

        mutating func header() -> Counts? {
            guard has(44), bytes[place..<place + 4].elementsEqual("TZif".utf8) else { return nil }
            skip(4)
            let version = byte()
            skip(15)
            let numbers = (0..<6).map { _ in Int(number(4)) }
            guard numbers.allSatisfy({ $0 >= 0 }) else { return nil }
            return Counts(
                version: version, isUTC: numbers[0], isStandard: numbers[1], leaps: numbers[2], changes: numbers[3],
                types: numbers[4], letters: numbers[5])
        }

        /// Between two line ends.
        mutating func line() -> String {
            String(decoding: bytes[place...].dropFirst().prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        }
    }
}
