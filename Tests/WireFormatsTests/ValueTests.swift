// Single values: YAML's many spellings, types JSON lacks.
import CeleryWire
import TaskhostJSON
import Testing

@testable import WireFormats

@Suite("Values")
struct ValueTests {
    @Test(
        "plain YAML scalars mean what they mean to PyYAML",
        arguments: [
            ("yes", .bool(true)), ("Off", .bool(false)), ("y", .string("y")), ("~", .null), ("null", .null),
            ("010", .int(8)), ("0o10", .string("0o10")), ("0x1F", .int(31)), ("0b101", .int(5)), ("1_000", .int(1000)),
            ("1:30", .int(90)), ("+12", .int(12)), ("-0", .int(0)), ("08", .string("08")), ("1e5", .string("1e5")),
            ("1.5e+3", .double(1500)), ("1.", .double(1)), (".5", .double(0.5)), ("-.5", .double(-0.5)),
            ("1.5e3", .string("1.5e3")), (".inf", .double(.infinity)), ("-.INF", .double(-.infinity)),
            ("1.2.3", .string("1.2.3")), ("-", .string("-")), ("1-2", .string("1-2")), ("x: y", nil),
            ("123456789012345678901234567890", .bigInteger("123456789012345678901234567890")),
        ] as [(String, JSON?)])
    func scalars(_ text: String, _ expected: JSON?) throws {
        guard let expected else { return }
        #expect(try yaml("[\(text == "-" ? "'-'" : text)]") == .array([expected]))
    }

    @Test("YAML times become Kombu's")
    func times() throws {
        func typed(_ type: String, _ value: String) -> JSON { sorted(KombuValue.typed(type, .string(value))) }
        #expect(try yaml("2024-01-02") == typed("date", "2024-01-02"))
        #expect(try yaml("2001-12-14t21:59:43.10-05:00") == typed("datetime", "2001-12-14T21:59:43.100000-05:00"))
        #expect(try yaml("2001-12-15 2:59:43.1 Z") == typed("datetime", "2001-12-15T02:59:43.100000+00:00"))
        #expect(try yaml("2024-1-2 3:4:5") == typed("datetime", "2024-01-02T03:04:05"))
        #expect(refusal(Array("2024-13-02".utf8), .yaml) == .malformedBody)
        #expect(try yaml("'2024-01-02'") == "2024-01-02")
    }

    @Test("keys of YAML maps become texts, as in JSON")
    func keys() throws {
        #expect(
            try yaml("{1: a, true: b, null: c}")
                == sorted(try JSON(parsing: Array(#"{"1":"a","true":"b","null":"c"}"#.utf8))))
    }

    @Test(
        "texts that look like other values stay texts when they are written", arguments: [ContentType.yaml, .msgpack])
    func texts(_ type: ContentType) throws {
        let texts = [
            "yes", "1", "", "~", "<<", "2024-01-02", "\u{1F600}\u{7}\n\u{2028}", String(repeating: "k", count: 3000),
        ]
        let value = sorted(
            .array([.array(texts.map(JSON.string)), .object(texts.map { JSONMember(key: $0, value: .string($0)) })]))
        #expect(try read(try formats.body(from: value.bytes, type, nil), type) == value)
    }

    @Test("floats keep every bit, integers their digits")
    func numbers() throws {
        let floats = [0.1, 1e16, -1e-7, Double.leastNonzeroMagnitude, 1.7976931348623157e308, 1, -0.0].map(JSON.double)
        let value = JSON.array(floats + [.int(.min), .int(.max), .bigInteger("18446744073709551615")])
        for type in [ContentType.yaml, .msgpack] {
            #expect(try read(try formats.body(from: value.bytes, type, nil), type) == value)
        }
        let special = JSON.array([.double(.infinity), .double(-.infinity), .double(.nan)])
        for type in [ContentType.yaml, .msgpack] {
            let read = try read(try formats.body(from: special.bytes, type, nil), type).elements ?? []
            #expect(read.count == 3 && read[0] == .double(.infinity) && read[2].number?.isNaN == true)
        }
        #expect(throws: WireError.self) { try formats.body(from: Array("18446744073709551616".utf8), .msgpack, nil) }
    }

    @Test(
        "bytes that are not UTF-8 survive, and so do typed values the format lacks",
        arguments: [ContentType.yaml, .msgpack])
    func typed(_ type: ContentType) throws {
        let text =
            #"[{"__type__":"base64","__value__":"/wAB"},{"__type__":"decimal","__value__":"1.10"},"#
            + #"{"__type__":"bytes","__value__":"x","third":1}]"#
        let value = parsed(Array(text.utf8))
        #expect(try read(try formats.body(from: value.bytes, type, nil), type) == value)
    }

    @Test("a msgpack time stamp is a point in time")
    func timestamp() throws {
        let expected = sorted(KombuValue.typed("datetime", .string("1970-01-01T00:00:01+00:00")))
        #expect(try read([0xD6, 0xFF, 0, 0, 0, 1], .msgpack) == expected)
    }
}
