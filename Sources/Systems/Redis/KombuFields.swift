// Headers as kombu's JSON dialect has them (celery-protocol.md §1.8).
import TaskModel
import TaskhostJSON

/// What JSON has no word for is `{"__type__": …, "__value__": …}`. Typed values without a case of ours (decimals, dates)
/// stay tables of these two keys, and so go out as they came in.
enum KombuFields {
    static func json(_ table: FieldTable) -> JSON {
        .object(table.fields.map { JSONMember(key: $0.key, value: json($0.value)) })
    }

    /// Anything but an object is no headers at all.
    static func table(_ text: inout JSONReader) throws(JSONError) -> FieldTable {
        var fields: [FieldTable.Field] = []
        var places = HeaderPlaces()
        var known = ""
        try text.object { text, key throws(JSONError) in
            let value: FieldValue
            if text.isText {
                value = .string(try string(&text, &known))
            } else {
                value = field(try text.value())
            }
            let name = key.hasEscapes ? key.string : HeaderNames.known(key.raw) ?? key.string
            if let place = places.place(of: name, key, in: fields) {
                fields[place].value = value
            } else {
                if fields.isEmpty { fields.reserveCapacity(24) }
                fields.append(FieldTable.Field(key: name, value: value))
            }
        }
        return FieldTable(fields)
    }

    /// - Parameter known: a long text that came before; a task's id is often its root's, too.
    private static func string(_ text: inout JSONReader, _ known: inout String) throws(JSONError) -> String {
        guard let written = try text.text() else { return "" }
        guard written.raw.count == 36 else { return written.string }
        if !written.isEqual(to: known) { known = written.string }
        return known
    }

    private static func table(_ members: [JSONMember]) -> FieldTable {
        FieldTable(members.map { FieldTable.Field(key: $0.key, value: field($0.value)) })
    }

    private static func json(_ value: FieldValue) -> JSON {
        switch value {
        case .null: .null
        case .bool(let value): .bool(value)
        case .int(let value): .int(value)
        case .double(let value): .double(value)
        case .string(let value): .string(value)
        case .bytes(let value):
            if let text = String(validating: value, as: UTF8.self) {
                typed("bytes", text)
            } else {
                typed("base64", Base64.encode(value))
            }
        case .timestamp(let seconds): typed("datetime", calendar(seconds))
        case .array(let values): .array(values.map(json))
        case .table(let table): json(table)
        }
    }

    private static func field(_ value: JSON) -> FieldValue {
        switch value {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .int(let value): return .int(value)
        case .bigInteger(let digits): return .string(digits)
        case .double(let value): return .double(value)
        case .string(let value), .surrogates(let value): return .string(value)
        case .array(let values): return .array(values.map(field))
        case .object(let members): return untyped(members, value) ?? .table(table(members))
        }
    }

    private static func typed(_ type: String, _ value: String) -> JSON {
        .object([
            JSONMember(key: "__type__", value: .string(type)), JSONMember(key: "__value__", value: .string(value)),
        ])
    }

    private static func untyped(_ members: [JSONMember], _ object: JSON) -> FieldValue? {
        guard members.count == 2, let type = object["__type__"]?.text, let value = object["__value__"]?.text else {
            return nil
        }
        switch type {
        case "bytes": return .bytes(value.bytes)
        case "base64": return Base64.decode(value).map { .bytes($0) }
        case "datetime": return seconds(value).map { .timestamp($0) }
        default: return nil
        }
    }

    /// "2026-11-23T06:30:00Z".
    private static func calendar(_ seconds: UInt64) -> String {
        // A year of more than four digits is no date to Python either.
        let seconds = Int64(min(seconds, 253_402_300_799))
        let day = CivilDay(days: seconds / 86_400)
        let time = [seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map { digits($0, 2) }.joined(separator: ":")
        return "\(digits(day.year, 4))-\(digits(Int64(day.month), 2))-\(digits(Int64(day.day), 2))T\(time)Z"
    }

    /// With zeros in front.
    private static func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }

    /// Only what this table's whole seconds can hold: other times stay as they are written.
    private static func seconds(_ text: String) -> UInt64? {
        let fields = text.split { "-T:Z".contains($0) }.compactMap { Int64($0) }
        guard fields.count == 6, fields.allSatisfy({ 0..<10_000 ~= $0 }), 1...12 ~= fields[1] else { return nil }
        let days = CivilDay.days(year: fields[0], month: Int(fields[1]), day: Int(fields[2]))
        let seconds = UInt64(exactly: days * 86_400 + fields[3] * 3600 + fields[4] * 60 + fields[5])
        return seconds.flatMap { calendar($0) == text ? $0 : nil }
    }
}
