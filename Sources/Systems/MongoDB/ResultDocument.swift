// One document of Celery's collection of results (celery-protocol.md §4.9): from a meta document, and back.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON

enum ResultDocument {
    /// What a document may have, as servers have it by default (maxBsonObjectSize).
    private static let maxBytes = 16 << 20

    /// Fields that Celery writes as they are: values of BSON.
    private static let usual = ["status", "result", "traceback", "children", "date_done", "task_id"]

    /// - Parameters:
    ///   - codec: how the result alone is written; nil: in JSON.
    ///   - dateDone: of what has ended.
    /// - Throws: `unfit`: no document can hold it.
    static func bytes(
        _ record: ResultRecord, _ codec: (any ResultCodec)?, dateDone: (WallTime?) -> WallTime?
    ) throws(StoreFailure) -> [UInt8] {
        let document = record.meta
        var values: [(name: String, value: ArraySlice<UInt8>)] = []
        do throws(JSONError) {
            for member in try JSONScan.topLevelObject(document, limits: .trusted) {
                let quoted = [UInt8(ascii: "\"")] + document[member.key] + [UInt8(ascii: "\"")]
                let name = try JSON(parsing: quoted, limits: .trusted).text ?? ""
                values.append((name, document[member.value]))
            }
        } catch {
            throw StoreFailure("The result is no document: \(error)", .unfit)
        }
        var out = BSONDocument().with("_id", record.taskID).with("status", record.state.rawValue)
        let result = Array(values.last { $0.name == "result" }?.value ?? ArraySlice("null".utf8))
        out = Self.with(try codec?.encode(result) ?? result, in: out)
            .with("traceback", try value("traceback", values))
            // A list of result tuples.
            .with("children", try value("children", values))
            .with("date_done", date: dateDone(try value("date_done", values).text.flatMap(ISO8601.parse)))
        for (name, bytes) in values where !usual.contains(name) && !name.isEmpty {
            out = out.with(name, try parsed(bytes))
        }
        let bytes = out.bytes
        guard bytes.count <= maxBytes else {
            throw StoreFailure(
                "The result makes a document of \(bytes.count) bytes, and MongoDB takes \(maxBytes)", .unfit,
                fix: "Store large results elsewhere and return where")
        }
        return bytes
    }

    /// Text is written as text, anything else as bytes.
    private static func with(_ result: [UInt8], in out: BSONDocument) -> BSONDocument {
        if result.first != 0, let text = String(validating: result, as: UTF8.self) { return out.with("result", text) }
        return out.with("result", binary: result)
    }

    private static func value(
        _ name: String, _ values: [(name: String, value: ArraySlice<UInt8>)]
    ) throws(StoreFailure) -> JSON {
        guard let found = values.last(where: { $0.name == name }) else { return .null }
        return try parsed(found.value)
    }

    private static func parsed(_ bytes: ArraySlice<UInt8>) throws(StoreFailure) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: bytes, limits: .trusted)
        } catch {
            throw StoreFailure("The result is no document: \(error)", .unfit)
        }
    }

    /// The document as other stores keep it (celery-protocol.md §4.1).
    /// - Throws: `unfit`: it holds what cannot be read.
    static func meta(_ bytes: [UInt8], _ codec: (any ResultCodec)?) throws(StoreFailure) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 64)
        for (key, value) in BSONReader.members(of: bytes) {
            out.append(contentsOf: out.isEmpty ? "{".utf8 : ",".utf8)
            JSONWriter.append(key == "_id" ? "task_id" : key, into: &out)
            out.append(UInt8(ascii: ":"))
            switch (key, value) {
            case ("result", .text(let text)): out.append(contentsOf: try json(Array(text.utf8), codec))
            case ("result", .binary(let bytes)): out.append(contentsOf: try json(bytes, codec))
            case ("children", .null): out.append(contentsOf: "[]".utf8)
            case (_, .date(let milliseconds)):
                JSONWriter.append(ISO8601.format(WallTime(microseconds: milliseconds * 1_000)), into: &out)
            default: out.append(contentsOf: value.json.bytes)
            }
        }
        out.append(contentsOf: out.isEmpty ? "{}".utf8 : "}".utf8)
        return out
    }

    private static func json(_ stored: [UInt8], _ codec: (any ResultCodec)?) throws(StoreFailure) -> [UInt8] {
        let json = try codec?.decode(stored) ?? stored
        do throws(JSONError) {
            try JSONScan.validate(json, limits: .trusted)
        } catch {
            throw StoreFailure(
                "The stored result cannot be read: \(error)", .unfit, fix: "Use the same result serializer everywhere")
        }
        return json
    }

    /// Of a document as MongoDB keeps it.
    static func taskID(_ bytes: [UInt8]) -> String? {
        BSONReader.members(of: bytes).first { $0.key == "_id" }?.value.string
    }

    /// Another one for another document (FNV-1a).
    static func version(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return "\(bytes.count)-\(hash)"
    }
}
