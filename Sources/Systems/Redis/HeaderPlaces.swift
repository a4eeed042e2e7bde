// Where the headers of an envelope stand that is being read: of keys that come twice the last value counts.
import TaskModel
import TaskhostJSON

/// Few headers are told apart by a few of their bytes, so that most need not be compared with all others. Many get an
/// index, so that a hostile envelope costs linear time.
struct HeaderPlaces {
    private var marks: (UInt64, UInt64) = (0, 0)
    /// Of the first fields, by the bytes of their names: Swift's own equality takes "é" in either Unicode form for one.
    private var index: [[UInt8]: Int] = [:]
    private static let scanned = 64

    /// Called once for each key, in their order.
    /// - Parameters:
    ///   - name: what the key means.
    ///   - fields: all that came before.
    /// - Returns: nil: it is new.
    mutating func place(of name: String, _ key: JSONReader.Text, in fields: [FieldTable.Field]) -> Int? {
        guard fields.count <= Self.scanned else { return indexed(name, fields) }
        guard !isNew(name, key) else { return nil }
        return fields.firstIndex { name.utf8.count == $0.key.utf8.count && name.utf8.elementsEqual($0.key.utf8) }
    }

    private mutating func indexed(_ name: String, _ fields: [FieldTable.Field]) -> Int? {
        for place in index.count..<fields.count { index[Array(fields[place].key.utf8)] = place }
        return index[Array(name.utf8)]
    }

    /// The same name may be written with escapes and without.
    private mutating func isNew(_ name: String, _ key: JSONReader.Text) -> Bool {
        guard key.hasEscapes else { return isNew(key.raw) }
        return Array(name.utf8).withUnsafeBufferPointer { isNew($0) }
    }

    private mutating func isNew(_ key: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let first = key.first, let last = key.last else { return false }
        let place = (key.count &* 29 &+ Int(first) &* 7 &+ Int(last) &* 3 &+ Int(key[key.count / 2])) & 127
        let mark = UInt64(1) << UInt64(place & 63)
        defer { if place < 64 { marks.0 |= mark } else { marks.1 |= mark } }
        return (place < 64 ? marks.0 : marks.1) & mark == 0
    }
}
