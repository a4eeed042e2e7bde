private import CMsgpack
// msgpack to JSON text, by msgpack-c.
import CeleryWire
import TaskModel
import TaskhostJSON

enum MsgpackReader {
    /// - Throws: beyond the limits, or when it holds what JSON has no way to say: keys that are no texts (Python's
    ///   msgpack refuses them as well), extensions other than time stamps.
    static func json(_ bytes: [UInt8], limits: WireLimits) throws(WireError) -> [UInt8] {
        try MsgpackBounds.check(bytes, limits)
        var unpacked = msgpack_unpacked()
        msgpack_unpacked_init(&unpacked)
        defer { msgpack_unpacked_destroy(&unpacked) }
        // Texts and bytes are not copied: the objects point into this buffer.
        let outcome = bytes.withUnsafeBytes { buffer -> Result<[UInt8], WireError> in
            let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let status = msgpack_unpack_next(&unpacked, start, buffer.count, nil)
            guard status == MSGPACK_UNPACK_SUCCESS else {
                return .failure(WireError(.malformedBody, "the body is not msgpack"))
            }
            var out: [UInt8] = []
            out.reserveCapacity(buffer.count * 2)
            do throws(WireError) {
                try write(unpacked.data, into: &out)
                return .success(out)
            } catch {
                return .failure(error)
            }
        }
        return try outcome.get()
    }

    private static func write(_ object: msgpack_object, into out: inout [UInt8]) throws(WireError) {
        let via = object.via
        switch object.type {
        case MSGPACK_OBJECT_NIL: out.append(contentsOf: "null".utf8)
        case MSGPACK_OBJECT_BOOLEAN: out.append(contentsOf: (via.boolean ? "true" : "false").utf8)
        case MSGPACK_OBJECT_POSITIVE_INTEGER: out.append(contentsOf: String(via.u64).utf8)
        case MSGPACK_OBJECT_NEGATIVE_INTEGER: JSONWriter.append(via.i64, into: &out)
        case MSGPACK_OBJECT_FLOAT32, MSGPACK_OBJECT_FLOAT64: JSONWriter.append(via.f64, into: &out)
        case MSGPACK_OBJECT_STR: JSONWriter.append(try text(via.str), into: &out)
        case MSGPACK_OBJECT_BIN:
            let raw = UnsafeRawBufferPointer(start: via.bin.ptr, count: Int(via.bin.size))
            KombuValue.bytes(Array(raw)).write(into: &out)
        case MSGPACK_OBJECT_EXT: try write(timestamp: object, into: &out)
        case MSGPACK_OBJECT_ARRAY:
            out.append(UInt8(ascii: "["))
            for (index, element) in UnsafeBufferPointer(start: via.array.ptr, count: Int(via.array.size)).enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                try write(element, into: &out)
            }
            out.append(UInt8(ascii: "]"))
        case MSGPACK_OBJECT_MAP:
            out.append(UInt8(ascii: "{"))
            for (index, pair) in UnsafeBufferPointer(start: via.map.ptr, count: Int(via.map.size)).enumerated() {
                if index > 0 { out.append(UInt8(ascii: ",")) }
                guard pair.key.type == MSGPACK_OBJECT_STR else {
                    throw WireError(.malformedBody, "a map of the body has a key that is no text")
                }
                JSONWriter.append(try text(pair.key.via.str), into: &out)
                out.append(UInt8(ascii: ":"))
                try write(pair.val, into: &out)
            }
            out.append(UInt8(ascii: "}"))
        default: throw WireError(.malformedBody, "the body holds a msgpack value of unknown kind")
        }
    }

    private static func text(_ string: msgpack_object_str) throws(WireError) -> String {
        let raw = UnsafeRawBufferPointer(start: string.ptr, count: Int(string.size))
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw WireError(.badEncoding, "a text of the body is not UTF-8")
        }
        return text
    }

    /// The one extension with a meaning of its own: -1, a point in time.
    private static func write(timestamp object: msgpack_object, into out: inout [UInt8]) throws(WireError) {
        var object = object
        var time = msgpack_timestamp()
        let isTime = object.via.ext.type == -1 && msgpack_object_to_timestamp(&object, &time)
        // Years 1 to 9999, as in Python.
        guard isTime, -62_135_596_800..<253_402_300_800 ~= time.tv_sec else {
            throw WireError(.malformedBody, "the body holds a msgpack extension (type \(object.via.ext.type))")
        }
        let moment = WallTime(microseconds: time.tv_sec * 1_000_000 + Int64(time.tv_nsec) / 1000)
        KombuValue.typed("datetime", .string(ISO8601.format(moment))).write(into: &out)
    }
}
