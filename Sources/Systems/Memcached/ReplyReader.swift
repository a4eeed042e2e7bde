// From bytes of memcached's text protocol to replies.

enum MemcachedReply: Sendable {
    struct Item: Sendable {
        var key: String
        var value: [UInt8]
        /// Another one with each change.
        var version: UInt64
    }

    case items([Item])
    case stats([String: String])
    /// A line: "STORED", "NOT_FOUND", a number, an error.
    case word(String)

    var items: [Item]? { if case .items(let items) = self { items } else { nil } }
    var word: String? { if case .word(let word) = self { word } else { nil } }
}

/// Keeps what has come until it makes up a reply.
struct ReplyReader {
    /// The other side speaks something else; a sentence's end.
    struct Garbled: Error { let detail: String }

    private var bytes: [UInt8] = []
    /// Of what has not been taken yet.
    private var start = 0
    /// Up to where there is no end of a line.
    private var searched = 0
    private var items: [MemcachedReply.Item] = []
    private var stats: [String: String] = [:]
    /// The item whose value is awaited, and how long that is.
    private var open: (item: MemcachedReply.Item, length: Int)?

    private static let maxLine = 4_096
    private static let maxValue = 1 << 30

    mutating func add(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }

    /// nil: more has to come.
    mutating func next() throws(Garbled) -> MemcachedReply? {
        while true {
            if open != nil, try !takeValue() { return nil }
            guard let line = try takeLine() else { return nil }
            let words = line.split(separator: " ", maxSplits: 4)
            switch words.first {
            case "VALUE": try openItem(words, line)
            case "STAT" where words.count > 1:
                stats[String(words[1])] = words.dropFirst(2).joined(separator: " ")
            case "END":
                defer { (items, stats) = ([], [:]) }
                return stats.isEmpty ? .items(items) : .stats(stats)
            default:
                (items, stats) = ([], [:])
                return .word(line)
            }
        }
    }

    private mutating func openItem(_ words: [Substring], _ line: String) throws(Garbled) {
        guard words.count == 5, let length = Int(words[3]), (0...Self.maxValue).contains(length),
            let version = UInt64(words[4])
        else { throw Garbled(detail: "it answered \"\(line.prefix(80))\"") }
        open = (MemcachedReply.Item(key: String(words[1]), value: [], version: version), length)
    }

    private mutating func takeValue() throws(Garbled) -> Bool {
        guard let (found, length) = open else { return true }
        var item = found
        guard bytes.count - start >= length + 2 else { return false }
        item.value = Array(bytes[start..<(start + length)])
        guard bytes[start + length] == 13, bytes[start + length + 1] == 10 else {
            throw Garbled(detail: "a value does not end where it should")
        }
        drop(length + 2)
        items.append(item)
        open = nil
        return true
    }

    private mutating func takeLine() throws(Garbled) -> String? {
        guard let end = bytes[max(start, searched)...].firstIndex(of: 10) else {
            searched = bytes.count
            guard bytes.count - start <= Self.maxLine else { throw Garbled(detail: "it does not end its line") }
            return nil
        }
        var line = bytes[start..<end]
        if line.last == 13 { line = line.dropLast() }
        let text = String(decoding: line, as: UTF8.self)
        drop(end + 1 - start)
        return text
    }

    private mutating func drop(_ count: Int) {
        start += count
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            start = 0
        } else if start > 1 << 16 {
            bytes.removeFirst(start)
            start = 0
        }
        searched = start
    }
}
