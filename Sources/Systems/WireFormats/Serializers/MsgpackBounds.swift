// What a msgpack document claims to hold, checked before the library believes it.
//
// msgpack-c makes room for as many elements as a header announces, before it has seen one: five bytes could ask for
// 64 GiB. Here each announced element must be within the bounds, and have at least one byte left to be read from.
import CeleryWire

struct MsgpackBounds {
    /// msgpack-c keeps its place in a stack of this many containers.
    private static let libraryDepth = 31

    private let bytes: [UInt8]
    private let limits: WireLimits
    private var offset = 0
    private var values = 1
    /// Elements (keys included) announced and not yet read, of all containers that are open.
    private var owed = 1
    /// The same for each of them, the innermost last.
    private var open: [Int] = []

    /// - Throws: `.tooDeep`, `.tooManyValues`, or `.malformedBody` when it is cut short or something follows it.
    static func check(_ bytes: [UInt8], _ limits: WireLimits) throws(WireError) {
        var bounds = MsgpackBounds(bytes: bytes, limits: limits)
        repeat { try bounds.readElement() } while bounds.owed > 0
        guard bounds.offset == bytes.count else {
            throw WireError(.malformedBody, "the body is not msgpack: bytes follow the value")
        }
    }

    private init(bytes: [UInt8], limits: WireLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    private mutating func readElement() throws(WireError) {
        // What has nothing left when a new element begins is complete.
        while let left = open.last, left == 0 { open.removeLast() }
        owed -= 1
        if let last = open.indices.last { open[last] -= 1 }
        let lead = try number(1)
        switch lead {
        case 0x00...0x7F, 0xE0...0xFF, 0xC0, 0xC2, 0xC3: break
        case 0x80...0x8F: try enter(lead & 0x0F, each: 2)
        case 0x90...0x9F: try enter(lead & 0x0F, each: 1)
        case 0xA0...0xBF: try skip(lead & 0x1F)
        case 0xC4, 0xD9: try skip(number(1))
        case 0xC5, 0xDA: try skip(number(2))
        case 0xC6, 0xDB: try skip(number(4))
        case 0xC7: try skip(number(1) + 1)
        case 0xC8: try skip(number(2) + 1)
        case 0xC9: try skip(number(4) + 1)
        case 0xCC, 0xD0: try skip(1)
        // D4…D8 are extensions of 1, 2, 4, 8 and 16 bytes, behind a byte for their type.
        case 0xCD, 0xD1, 0xD4: try skip(2)
        case 0xCA, 0xCE, 0xD2: try skip(4)
        case 0xCB, 0xCF, 0xD3: try skip(8)
        case 0xD5: try skip(3)
        case 0xD6: try skip(5)
        case 0xD7: try skip(9)
        case 0xD8: try skip(17)
        case 0xDC: try enter(number(2), each: 1)
        case 0xDD: try enter(number(4), each: 1)
        case 0xDE: try enter(number(2), each: 2)
        case 0xDF: try enter(number(4), each: 2)
        default: throw WireError(.malformedBody, "the body is not msgpack: byte \(offset - 1) is never used")
        }
    }

    /// A big-endian length.
    private mutating func number(_ size: Int) throws(WireError) -> Int {
        guard bytes.count - offset >= size else { throw cutShort }
        var value = 0
        for index in 0..<size { value = value << 8 | Int(bytes[offset + index]) }
        offset += size
        return value
    }

    private mutating func skip(_ count: Int) throws(WireError) {
        guard bytes.count - offset >= count else { throw cutShort }
        offset += count
    }

    private mutating func enter(_ count: Int, each: Int) throws(WireError) {
        guard open.count < min(limits.maxDepth, Self.libraryDepth) else {
            throw WireError(.tooDeep, "the body is nested too deep (max_depth; 31 in msgpack)")
        }
        values += count
        guard values <= limits.maxNodes else {
            throw WireError(.tooManyValues, "the body holds too many values (max_nodes)")
        }
        owed += count * each
        guard owed <= bytes.count - offset else { throw cutShort }
        open.append(count * each)
    }

    private var cutShort: WireError { WireError(.malformedBody, "the body is not msgpack: it ends too early") }
}
