// Which YAML tags are read: those of plain values. `!!python/…` and all else could make code run, and is refused.
import CeleryWire
import TaskModel
import TaskhostJSON

enum YAMLTag {
    private static let standard = "tag:yaml.org,2002:"

    /// A scalar's value. `isPlain`: neither quoted nor tagged.
    static func value(of text: String, tag: String?, isPlain: Bool) throws(WireError) -> JSON {
        guard let tag, tag != "!" else {
            guard isPlain else { return .string(text) }
            guard text != "<<", text != "=" else {
                throw WireError(.malformedBody, "YAML's merge key and default value are not read; write them out")
            }
            guard let value = YAMLScalar.resolve(text) else { throw unreadable }
            return value
        }
        guard tag.hasPrefix(standard) else { throw refused(tag) }
        switch tag.dropFirst(standard.utf8.count) {
        case "str": return .string(text)
        case "binary":
            guard let bytes = Base64.decode(text) else { throw unreadable }
            return KombuValue.bytes(bytes)
        case "timestamp":
            guard YAMLTime.looksLikeOne(text), let time = YAMLTime.read(text) else { throw unreadable }
            return time
        case "null": return .null
        case "bool", "int", "float":
            guard let value = YAMLScalar.resolve(text), value.boolean != nil || value.number != nil else {
                throw unreadable
            }
            return value
        default: throw refused(tag)
        }
    }

    /// A container's tag. `kind`: "seq" or "map".
    static func check(_ tag: String?, is kind: String) throws(WireError) {
        guard let tag, tag != "!", tag != standard + kind else { return }
        throw refused(tag)
    }

    /// A map's key as Python's json module would write it.
    static func key(_ value: JSON) throws(WireError) -> String {
        switch value {
        case .string(let text): return text
        case .null, .bool, .int, .bigInteger, .double: return String(decoding: value.bytes, as: UTF8.self)
        case .array, .object, .surrogates:
            throw WireError(.malformedBody, "a map of the body has a key that is no plain text")
        }
    }

    private static func refused(_ tag: String) -> WireError {
        WireError(.malformedBody, "YAML values of type \(quoted(tag)) are not read, only plain ones")
    }

    private static var unreadable: WireError {
        WireError(.malformedBody, "a YAML number, time or base64 text of the body cannot be read")
    }
}
