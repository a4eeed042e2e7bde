// Bodies made to hurt: bombs, lies about lengths, references that multiply.
import CeleryWire
import TaskhostJSON
import Testing

@testable import WireFormats

@Suite("Hostile bodies")
struct HostileTests {
    private let small = WireLimits(maxBodyBytes: 1024, maxDepth: 4, maxNodes: 16)

    @Test("a bomb ends at the bound of what is decoded", arguments: Compression.allCases)
    func bombs(_ method: Compression) throws {
        let bomb = try method.compress([UInt8](repeating: UInt8(ascii: " "), count: 40 << 20))
        #expect(bomb.count < 64 << 10)
        #expect(refusal(bomb, .json, method) == .tooLarge)
        let fits = try method.compress(
            [UInt8](repeating: UInt8(ascii: " "), count: WireLimits.standard.maxDecodedBytes))
        #expect(refusal(fits, .json, method) == nil)
    }

    @Test("a stream that is cut short, damaged or followed by more is refused", arguments: Compression.allCases)
    func damaged(_ method: Compression) throws {
        let sound = try method.compress(Array("[[1, 2, 3], {}, {}]".utf8))
        for length in 0..<sound.count { #expect(refusal(Array(sound.prefix(length)), .json, method) == .compressed) }
        #expect(refusal(sound + [0], .json, method) == .compressed)
        #expect(refusal([0xFF] + sound, .json, method) != nil)
        #expect(try read(sound, .json, method) == [[1, 2, 3], .object([]), .object([])])
    }

    @Test("a msgpack header that announces more than there is is not believed")
    func announcements() {
        for lead: UInt8 in [0xDD, 0xDF, 0xC6, 0xDB, 0xC9] {
            #expect(refusal([lead, 0xFF, 0xFF, 0xFF, 0xFF], .msgpack) != nil)
            #expect(refusal([lead, 0, 0, 0x20, 0] + [0xC0], .msgpack) == .malformedBody)
        }
        #expect(refusal([0xDD, 0, 0x98, 0x96, 0x80], .msgpack) == .tooManyValues)
        #expect(refusal([], .msgpack) == .malformedBody)
        #expect(refusal([0x92, 1], .msgpack) == .malformedBody)
        #expect(refusal([0x91, 1, 1], .msgpack) == .malformedBody)
        #expect(refusal([0xC1], .msgpack) == .malformedBody)
    }

    @Test("bounds on depth and values hold in msgpack to the value")
    func msgpackBounds() throws {
        #expect(refusal([0x91, 0x91, 0x91, 0x91, 1], .msgpack, limits: small) == nil)
        #expect(refusal([0x91, 0x91, 0x91, 0x91, 0x90], .msgpack, limits: small) == .tooDeep)
        #expect(refusal([0x9F] + [UInt8](repeating: 1, count: 15), .msgpack, limits: small) == nil)
        #expect(refusal([0xDC, 0, 16] + [UInt8](repeating: 1, count: 16), .msgpack, limits: small) == .tooManyValues)
        let deep = WireLimits(maxDepth: 512)
        let thirty = [UInt8](repeating: 0x91, count: 31) + [1]
        #expect(refusal(thirty, .msgpack, limits: deep) == nil)
        #expect(refusal([0x91] + thirty, .msgpack, limits: deep) == .tooDeep)
    }

    @Test("msgpack that JSON has no way to say is refused")
    func unspeakable() {
        #expect(refusal([0x81, 1, 1], .msgpack) == .malformedBody)
        #expect(refusal([0xD4, 5, 0], .msgpack) == .malformedBody)
        #expect(refusal([0xA1, 0xFF], .msgpack) == .badEncoding)
    }

    @Test("YAML aliases that multiply end at the bounds")
    func laughs() {
        var text = "- &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            text += "- &a\(level) [" + [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
        }
        #expect(refusal(Array(text.utf8), .yaml) == .tooManyValues)
        let long = "- &a \"" + String(repeating: "x", count: 100_000) + "\"\n"
        let many = long + String(repeating: "- *a\n", count: 5000)
        #expect(refusal(Array(many.utf8), .yaml) == .tooLarge)
    }

    @Test("a YAML alias of what it is part of, or of nothing, is refused")
    func cycles() {
        for text in ["&a [*a]", "[*b]", "&a {k: *a}"] { #expect(refusal(Array(text.utf8), .yaml) == .malformedBody) }
    }

    @Test(
        "YAML tags other than those of plain values are refused",
        arguments: [
            "!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!x [1]", "!!set {a, b}",
            "!!omap [a: 1]", "!<tag:example.org,2026:x> 1", "!!map [1]", "!!seq {a: 1}",
        ])
    func tags(_ text: String) {
        #expect(refusal(Array(text.utf8), .yaml) == .malformedBody)
    }

    @Test("YAML that is none, holds two documents, or merges maps is refused")
    func malformedYAML() {
        for text in ["[1", "{a: b: c}", "--- 1\n--- 2\n", "{<<: {a: 1}}", "? [1]\n: 2", "!!binary '*'", "", "\t- x"] {
            #expect(refusal(Array(text.utf8), .yaml) == .malformedBody, "\(text)")
        }
        #expect(refusal([0x22, 0xFF, 0x22], .yaml) == .badEncoding)
    }

    @Test("bounds on depth and values hold in YAML")
    func yamlBounds() {
        #expect(refusal(Array("[[[[1]]]]".utf8), .yaml, limits: small) == nil)
        #expect(refusal(Array("[[[[[]]]]]".utf8), .yaml, limits: small) == .tooDeep)
        #expect(refusal(Array("- &a [[[1]]]\n- [*a]".utf8), .yaml, limits: small) == .tooDeep)
        let list = "[" + [String](repeating: "1", count: 40).joined(separator: ",") + "]"
        #expect(refusal(Array(list.utf8), .yaml, limits: small) == .tooManyValues)
        let deep = String(repeating: "[", count: 100_000)
        #expect(refusal(Array(deep.utf8), .yaml) == .tooDeep)
    }

    @Test("random damage to sound bodies is taken or refused, and nothing else", arguments: Captured.all)
    func mutations(_ captured: Captured) {
        var random = Xorshift(state: 0x5EED_0003)
        for _ in 0..<300 {
            var body = captured.body
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                body[Int.random(in: 0..<body.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            _ = refusal(body, captured.type, captured.compression)
        }
    }
}

/// A small generator with a fixed seed.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
