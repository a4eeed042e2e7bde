// A BSON document as bytes (bsonspec.org, version 1.1): written and read here, since libbson's own structures are aligned
// in a way that Swift does not import.
import TaskModel
import TaskhostJSON

/// Made of one member after the other.
struct BSONDocument: Sendable {
    private var members: [UInt8] = []

    private enum Kind: UInt8 {
        case double = 1
        case text, document, array, binary
        case bool = 8
        case date, null
        case int32 = 16
        case int64 = 18
    }

    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(members.count + 5)
        Self.append(Int32(members.count + 5), to: &out)
        out += members
        out.append(0)
        return out
    }

    private mutating func begin(_ kind: Kind, _ key: String) {
        members.append(kind.rawValue)
        // A key ends at its first zero.
        members += key.utf8.lazy.map { $0 == 0 ? UInt8(ascii: "?") : $0 }
        members.append(0)
    }

    private static func append(_ value: some FixedWidthInteger, to out: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { out += $0 }
    }

    /// - Parameter text: nil: null.
    func with(_ key: String, _ text: String?) -> BSONDocument { with(key, text.map(JSON.string) ?? .null) }

    func with(_ key: String, binary bytes: [UInt8]) -> BSONDocument {
        var made = self
        made.begin(.binary, key)
        Self.append(Int32(bytes.count), to: &made.members)
        // The generic subtype.
        made.members.append(0)
        made.members += bytes
        return made
    }

    func with(_ key: String, bool value: Bool) -> BSONDocument { with(key, .bool(value)) }

    func with(_ key: String, int value: Int32) -> BSONDocument { with(key, .int(Int64(value))) }

    /// - Parameter time: nil: null.
    func with(_ key: String, date time: WallTime?) -> BSONDocument {
        guard let time else { return with(key, .null) }
        var made = self
        made.begin(.date, key)
        Self.append(time.microseconds / 1_000, to: &made.members)
        return made
    }

    func with(_ key: String, document: BSONDocument) -> BSONDocument {
        var made = self
        made.begin(.document, key)
        made.members += document.bytes
        return made
    }

    /// - Parameter array: its keys are "0", "1" …
    func with(_ key: String, array: BSONDocument) -> BSONDocument {
        var made = self
        made.begin(.array, key)
        made.members += array.bytes
        return made
    }

    func with(_ key: String, texts: [String]) -> BSONDocument { with(key, .array(texts.map(JSON.string))) }

    func with(_ key: String, _ value: JSON) -> BSONDocument {
        var made = self
        made.append(key, value)
        return made
    }

    /// As pymongo writes the same value, but for what BSON has no way to say: an integer beyond 64 bits becomes its
    /// digits, half of a surrogate pair its escape.
    private mutating func append(_ key: String, _ value: JSON) {
        switch value {
        case .null: begin(.null, key)
        case .bool(let value):
            begin(.bool, key)
            members.append(value ? 1 : 0)
        case .string(let text), .surrogates(let text), .bigInteger(let text):
            begin(.text, key)
            Self.append(Int32(text.utf8.count + 1), to: &members)
            members += text.utf8
            members.append(0)
        case .int(let value):
            if let short = Int32(exactly: value) {
                begin(.int32, key)
                Self.append(short, to: &members)
            } else {
                begin(.int64, key)
                Self.append(value, to: &members)
            }
        case .double(let value):
            begin(.double, key)
            Self.append(value.bitPattern, to: &members)
        case .array(let elements):
            var array = BSONDocument()
            for (index, element) in elements.enumerated() { array.append("\(index)", element) }
            begin(.array, key)
            members += array.bytes
        case .object(let list):
            var object = BSONDocument()
            for member in list { object.append(member.key, member.value) }
            begin(.document, key)
            members += object.bytes
        }
    }
}
