// Values that JSON lacks, as Kombu writes them: {"__type__": …, "__value__": …} (celery-protocol.md §1.8).
import TaskModel
import TaskhostJSON

enum KombuValue {
    static func typed(_ type: String, _ value: JSON) -> JSON {
        .object([JSONMember(key: "__type__", value: .string(type)), JSONMember(key: "__value__", value: value)])
    }

    /// As text when they are UTF-8, else in base64.
    static func bytes(_ bytes: [UInt8]) -> JSON {
        if let text = String(validating: bytes, as: UTF8.self) { return typed("bytes", .string(text)) }
        return typed("base64", .string(Base64.encode(bytes)))
    }

    /// The type and value of such an object; nil: an ordinary one (a third member makes it one).
    static func parts(_ members: [JSONMember]) -> (type: String, value: JSON)? {
        guard members.count == 2 else { return nil }
        let object = JSON.object(members)
        guard let type = object["__type__"]?.text, let value = object["__value__"] else { return nil }
        return (type, value)
    }

    /// The bytes such an object stands for; nil: it does not stand for bytes.
    static func bytes(in members: [JSONMember]) -> [UInt8]? {
        guard let (type, value) = parts(members), let text = value.text else { return nil }
        switch type {
        case "bytes": return Array(text.utf8)
        case "base64": return Base64.decode(text)
        default: return nil
        }
    }
}
