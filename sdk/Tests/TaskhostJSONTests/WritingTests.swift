// What is written, and that it reads back as it was.
import TaskhostJSON
import Testing

@Suite("Writing JSON")
struct WritingTests {
    @Test("printed, a value is JSON text")
    func printed() {
        let value: JSON = ["ChordError", 7, .object([JSONMember(key: "k", value: nil)])]
        #expect("\(value)" == #"["ChordError",7,{"k":null}]"#)
    }

    @Test(
        "writes compact ASCII",
        arguments: [
            (nil, "null"), (true, "true"), (-5, "-5"), (.double(10), "10.0"), (.double(0.1), "0.1"),
            (.double(-0.0), "-0.0"),
            (.double(.nan), "NaN"), (.double(.infinity), "Infinity"), (.double(-.infinity), "-Infinity"),
            (.double(1e300), "1e+300"),
            (.bigInteger("-123456789012345678901234567890"), "-123456789012345678901234567890"),
            (["a": [1, nil], "b": .object([])], #"{"a":[1,null],"b":{}}"#),
            ("é😀\u{7f}", #""\u00e9\ud83d\ude00\u007f""#),
            ("\"\\\n\t\r\u{8}\u{c}\u{1}/", #""\"\\\n\t\r\b\f\u0001/""#),
        ] as [(JSON, String)])
    func texts(_ value: JSON, _ expected: String) {
        #expect(String(decoding: value.bytes, as: UTF8.self) == expected)
    }

    @Test("a big integer that is none cannot break the document", arguments: ["", "-", "1,2", "1]"])
    func hostileBigInteger(_ text: String) throws {
        #expect(try JSON(parsing: JSON.bigInteger(text).bytes) == .string(text))
    }

    @Test("whatever is written reads back as the same value, and the scanner accepts it")
    func roundTrips() throws {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix(state: seed)
        for round in 0..<2_000 {
            let value = JSON.arbitrary(depth: 4, using: &random)
            let bytes = value.bytes
            #expect(bytes.allSatisfy { $0 < 0x80 })
            #expect(try JSON(parsing: bytes, limits: .trusted) == value, "seed \(seed), round \(round)")
            #expect(throws: Never.self, "seed \(seed), round \(round)") {
                try JSONScan.validate(bytes, limits: .trusted)
            }
        }
    }
}

/// A small generator with a seed that can be printed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}

extension JSON {
    static func arbitrary(depth: Int, using random: inout SplitMix) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 7), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int64.random(in: .min ... .max, using: &random))
        case 3: return .int(Int64.random(in: -9...9, using: &random))
        case 4:
            let value = Double(bitPattern: random.next())
            return .double(value.isNaN ? 0.5 : value)
        case 5: return .bigInteger("-9223372036854775809")
        case 6: return .string(text(using: &random))
        case 7:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in arbitrary(depth: depth - 1, using: &random) })
        default:
            return .object(
                (0..<Int.random(in: 0...20, using: &random)).map {
                    JSONMember(key: "\($0):" + text(using: &random), value: arbitrary(depth: depth - 1, using: &random))
                })
        }
    }

    private static func text(using random: inout SplitMix) -> String {
        var scalars = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let code = UInt32.random(in: 0..<0x11_0000, using: &random) >> UInt32.random(in: 0...20, using: &random)
            if let scalar = Unicode.Scalar(code) { scalars.append(scalar) }
        }
        return String(scalars)
    }
}
