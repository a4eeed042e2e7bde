private import CMsgpack
// JSON values to msgpack, by msgpack-c, as Kombu's msgpack serializer packs them.
import CeleryWire
import TaskhostJSON

enum MsgpackWriter {
    /// Bytes become `bin`; the other types JSON lacks stay Kombu's typed maps.
    /// - Throws: `.malformedBody` for integers beyond 64 bits, which msgpack does not have.
    static func bytes(_ value: JSON) throws(WireError) -> [UInt8] {
        let buffer = msgpack_sbuffer_new()
        defer { msgpack_sbuffer_free(buffer) }
        let packer = msgpack_packer_new(buffer, msgpack_sbuffer_write)
        defer { msgpack_packer_free(packer) }
        guard let buffer, let packer else { throw WireError(.malformedBody, "no memory to pack a value") }
        try write(value, to: packer)
        return Array(UnsafeRawBufferPointer(start: buffer.pointee.data, count: buffer.pointee.size))
    }

    private static func write(
        _ value: JSON, to packer: UnsafeMutablePointer<msgpack_packer>
    ) throws(WireError) {
        switch value {
        case .null: try check(msgpack_pack_nil(packer))
        case .bool(let flag): try check(flag ? msgpack_pack_true(packer) : msgpack_pack_false(packer))
        case .int(let number): try check(msgpack_pack_int64(packer, number))
        case .bigInteger(let digits):
            guard let number = UInt64(digits) else {
                throw WireError(.malformedBody, "an integer beyond 64 bits cannot be written as msgpack")
            }
            try check(msgpack_pack_uint64(packer, number))
        case .double(let number): try check(msgpack_pack_double(packer, number))
        case .string(let text): try write(text, to: packer)
        case .surrogates: throw WireError(.malformedBody, "half of a surrogate pair cannot be written as msgpack")
        case .array(let elements):
            try check(msgpack_pack_array(packer, elements.count))
            for element in elements { try write(element, to: packer) }
        case .object(let members):
            if let bytes = KombuValue.bytes(in: members) {
                try check(msgpack_pack_bin(packer, bytes.count))
                return try check(msgpack_pack_bin_body(packer, bytes, bytes.count))
            }
            try check(msgpack_pack_map(packer, members.count))
            for member in members {
                try write(member.key, to: packer)
                try write(member.value, to: packer)
            }
        }
    }

    private static func write(_ text: String, to packer: UnsafeMutablePointer<msgpack_packer>) throws(WireError) {
        let utf8 = Array(text.utf8)
        try check(msgpack_pack_str(packer, utf8.count))
        try check(msgpack_pack_str_body(packer, utf8, utf8.count))
    }

    private static func check(_ status: CInt) throws(WireError) {
        guard status == 0 else { throw WireError(.malformedBody, "no memory to pack a value") }
    }
}
