// Which of several servers a key lies on, by the rule of pymemcache's HashClient, the client of Celery 5.7.

/// Rendezvous hashing: of all servers the one whose name, joined with the key, has the largest hash.
struct ServerChoice: Sendable {
    private let names: [[UInt8]]

    /// - Parameter names: at least one, each once.
    init(_ names: [String]) { self.names = names.map { Array("\($0)-".utf8) } }

    /// The place of its server in the list.
    func index(of key: String) -> Int {
        guard names.count > 1 else { return 0 }
        let key = Array(key.utf8)
        var best: (index: Int, score: UInt32)?
        for (index, name) in names.enumerated() {
            let score = Self.murmur3(name + key)
            guard let known = best else {
                best = (index, score)
                continue
            }
            // Of two with the same hash the greater name, as there.
            if score > known.score || score == known.score && names[known.index].lexicographicallyPrecedes(name) {
                best = (index, score)
            }
        }
        return best?.index ?? 0
    }

    /// MurmurHash3 for 32 bits (x86), seed 0, after Austin Appleby's description of the algorithm (SMHasher).
    static func murmur3(_ bytes: [UInt8]) -> UInt32 {
        var hash: UInt32 = 0
        var start = 0
        while start + 4 <= bytes.count {
            hash ^= mixed(word(bytes[start..<(start + 4)]))
            hash = (hash << 13 | hash >> 19) &* 5 &+ 0xE654_6B64
            start += 4
        }
        if start < bytes.count { hash ^= mixed(word(bytes[start...])) }
        hash ^= UInt32(truncatingIfNeeded: bytes.count)
        hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
        hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
        return hash ^ hash >> 16
    }

    private static func mixed(_ word: UInt32) -> UInt32 {
        let turned = word &* 0xCC9E_2D51
        return (turned << 15 | turned >> 17) &* 0x1B87_3593
    }

    /// Up to four bytes, the first one lowest.
    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
