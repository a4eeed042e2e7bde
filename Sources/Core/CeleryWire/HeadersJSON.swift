// Headers as JSON, for the child and for stores without field tables.
public import TaskModel
import TaskhostJSON

public enum HeadersJSON {
    /// A JSON object of all headers. Bytes that are no text and timestamps are written in Kombu's typed form
    /// (`{"__type__":"base64",…}`, `{"__type__":"datetime",…}`).
    public static func bytes(_ table: FieldTable) -> [UInt8] {
        if let bytes = UnescapedJSON.bytes(room: { UnescapedJSON.room(table) }, { $0.table(table) }) { return bytes }
        var out: [UInt8] = []
        out.reserveCapacity(768)
        write(table, into: &out)
        return out
    }

    static func write(_ table: FieldTable, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "{"))
        var isFirst = true
        for field in table.fields {
            if !isFirst { out.append(UInt8(ascii: ",")) }
            isFirst = false
            JSONWriter.append(field.key, into: &out)
            out.append(UInt8(ascii: ":"))
            write(field.value, into: &out)
        }
        out.append(UInt8(ascii: "}"))
    }

    static func write(_ value: FieldValue, into out: inout [UInt8]) {
        switch value {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let flag): out.append(contentsOf: flag ? "true".utf8 : "false".utf8)
        case .int(let number): JSONWriter.append(number, into: &out)
        case .double(let number): JSONWriter.append(number, into: &out)
        case .string(let text): JSONWriter.append(text, into: &out)
        case .bytes(let bytes):
            if let text = String(validating: bytes, as: UTF8.self) {
                JSONWriter.append(text, into: &out)
            } else {
                typed("base64", Base64.encode(bytes), into: &out)
            }
        case .timestamp(let seconds):
            typed("datetime", ISO8601.format(WallTime(secondsSince1970: Double(seconds))), into: &out)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                write(element, into: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .table(let table): write(table, into: &out)
        }
    }

    private static func typed(_ type: String, _ value: String, into out: inout [UInt8]) {
        out.append(contentsOf: #"{"__type__":"\#(type)","__value__":"\#(value)"}"#.utf8)
    }
}
