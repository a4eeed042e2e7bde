// What is read, and as what.
import TaskhostJSON
import Testing

@Suite("Parsing JSON")
struct ParsingTests {
    @Test(
        "reads each kind of value",
        arguments: [
            ("null", JSON.null), ("true", true), (" false\n", false), ("0", 0), ("-0", 0), ("-17", -17),
            ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)),
            ("9223372036854775808", .bigInteger("9223372036854775808")),
            ("-1000000000000000000000000000000", .bigInteger("-1000000000000000000000000000000")),
            ("1.0", .double(1)), ("1e2", .double(100)), ("-2.5E-1", .double(-0.25)), ("1e999", .double(.infinity)),
            ("Infinity", .double(.infinity)), ("-Infinity", .double(-.infinity)), ("\"\"", ""), ("[]", []),
            ("{}", .object([])), ("[1,[2 , {\"a\" : null}]]", [1, [2, ["a": nil]]]),
        ] as [(String, JSON)])
    func kinds(_ text: String, _ expected: JSON) throws {
        #expect(try JSON(parsing: text) == expected)
    }

    @Test("NaN is a number")
    func nan() throws {
        #expect(try JSON(parsing: "NaN").number?.isNaN == true)
    }

    @Test("a float stays a float and an integer an integer")
    func numberKinds() throws {
        #expect(try JSON(parsing: "1") != JSON(parsing: "1.0"))
    }

    @Test(
        "undoes escapes and accepts raw UTF-8",
        arguments: [
            (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{C}\n\r\tz"), (#""\u00e9\ud83d\ude00""#, "é😀"), ("\"é😀\"", "é😀"),
            (#""\u0000""#, "\u{0}"),
        ])
    func texts(_ text: String, _ expected: String) throws {
        #expect(try JSON(parsing: text).text == expected)
    }

    @Test("of duplicate keys the last value wins, also in a long object")
    func duplicates() throws {
        #expect(try JSON(parsing: #"{"a":1,"b":2,"a":3}"#) == ["a": 3, "b": 2])
        let long = (0..<40).map { "\"k\($0)\":\($0)" } + ["\"k3\":-1", "\"k39\":-2", "\"k3\":-3"]
        let value = try JSON(parsing: "{\(long.joined(separator: ","))}")
        #expect(value.members?.count == 40)
        #expect(value["k3"] == -3)
        #expect(value["k39"] == -2)
    }

    @Test("keys that only look alike are different keys")
    func exactKeys() throws {
        let value = try JSON(parsing: #"{"\u00e9":1,"e\u0301":2}"#)
        #expect(value.members?.count == 2)
        #expect(value["\u{e9}"] == 1)
        #expect(value["e\u{301}"] == 2)
    }

    @Test(
        "refuses what is not JSON, naming place and reason",
        arguments: [
            ("", .unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 3),
            ("nuLl", .unexpectedCharacter, 2), ("[1,]", .unexpectedCharacter, 3), ("[1 2]", .unexpectedCharacter, 3),
            ("{\"a\" 1}", .unexpectedCharacter, 5), ("{a:1}", .unexpectedCharacter, 1), ("[1", .unexpectedEnd, 2),
            ("{\"a\":1,}", .unexpectedCharacter, 7), ("1 2", .trailingCharacters, 2), ("01", .badNumber, 0),
            ("-", .unexpectedEnd, 1), ("1.", .unexpectedEnd, 2), ("[1.x]", .badNumber, 1), ("1e", .unexpectedEnd, 2),
            ("+1", .unexpectedCharacter, 0), ("\"abc", .unexpectedEnd, 4), ("\"a\nb\"", .controlCharacter, 2),
            (#""\x""#, .badEscape, 1), (#""\u12g4""#, .badEscape, 5), (#""\ud800""#, .loneSurrogate, 0),
            (#""\udc00x""#, .loneSurrogate, 0), (#""\ud800\u0041""#, .loneSurrogate, 0),
            ("\u{FEFF}1", .unexpectedCharacter, 0),
            ("--1", .badNumber, 0), ("-Infinite", .unexpectedCharacter, 8), ("'a'", .unexpectedCharacter, 0),
        ] as [(String, JSONError.Reason, Int)])
    func refusals(_ text: String, _ reason: JSONError.Reason, _ offset: Int) {
        #expect(throws: JSONError(reason, at: offset)) { try JSON(parsing: text) }
    }

    @Test("keeps halves of surrogate pairs as they are written, where it is told to")
    func surrogates() throws {
        for text in [#"["x\udcffy\n",{"a":"\ud800"}]"#, #""\udc00\ud83d\ude00""#] {
            let value = try JSON(parsing: text, limits: .trusted)
            #expect(String(decoding: value.bytes, as: UTF8.self) == text)
            #expect(value == (try JSON(parsing: text, limits: .trusted)))
        }
        #expect(try JSON(parsing: #""\ud83d\ude00""#, limits: .trusted) == .string("\u{1F600}"))
        #expect(throws: JSONError(.loneSurrogate, at: 1)) { try JSON(parsing: #"{"\ud800":1}"#, limits: .trusted) }
        #expect(String(decoding: JSON.surrogates("a\"b").bytes, as: UTF8.self) == #""a\"b""#)
    }

    @Test(
        "refuses broken UTF-8",
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xE2, 0x28, 0xA1], [0xFF],
        ] as [[UInt8]])
    func brokenUTF8(_ bytes: [UInt8]) {
        let text = [0x22] + bytes + [0x22]
        #expect(throws: JSONError(.badUTF8, at: 1)) { try JSON(parsing: text) }
        #expect(throws: JSONError(.badUTF8, at: 1)) { try JSONScan.validate(text) }
    }

    @Test("accepts every Unicode scalar as raw UTF-8")
    func allScalars() throws {
        for first in stride(from: UInt32(0x80), to: 0x11_0000, by: 0x1000) {
            let scalars = (first..<min(first + 0x1000, 0x11_0000)).compactMap(Unicode.Scalar.init)
            var text = String.UnicodeScalarView()
            text.append(contentsOf: scalars)
            #expect(try JSON(parsing: "\"\(String(text))\"").text?.unicodeScalars.elementsEqual(text) == true)
        }
    }

    @Test("stops at the bounds on depth, values and digits")
    func bounds() throws {
        let limits = JSONLimits(maxDepth: 3, maxNodes: 5)
        #expect(try JSON(parsing: "[[[1]]]", limits: limits) == [[[1]]])
        #expect(throws: JSONError(.tooDeep, at: 3)) { try JSON(parsing: "[[[[1]]]]", limits: limits) }
        #expect(throws: JSONError(.tooDeep, at: 15)) { try JSON(parsing: #"{"a":{"b":{"c":{}}}}"#, limits: limits) }
        #expect(try JSON(parsing: "[1,2,3,4]", limits: limits) == [1, 2, 3, 4])
        #expect(throws: JSONError(.tooManyNodes, at: 9)) { try JSON(parsing: "[1,2,3,4,5]", limits: limits) }
        let digits = String(repeating: "7", count: JSONLimits.maxDigits)
        #expect(try JSON(parsing: digits) == .bigInteger(digits))
        #expect(throws: JSONError(.tooManyDigits, at: 0)) { try JSON(parsing: digits + "7") }
    }

    @Test("a million opening brackets end at the depth bound, not the stack's")
    func depthBomb() {
        let bomb = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError(.tooDeep, at: 512)) { try JSON(parsing: bomb, limits: .trusted) }
        #expect(throws: JSONError(.tooDeep, at: 512)) { try JSONScan.validate(bomb, limits: .trusted) }
    }
}
