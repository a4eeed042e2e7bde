// The tree-free scanner: where the parts are, and that it agrees with the parser on what is valid.
import TaskhostJSON
import Testing

@Suite("Scanning JSON")
struct ScanningTests {
    private func parts(_ text: String) throws -> [String] {
        let bytes = Array(text.utf8)
        return try JSONScan.topLevelArray(bytes).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test("gives the elements of the outer array")
    func elements() throws {
        #expect(
            try parts(" [ [2, 3] , {} ,\n{\"chain\": null}, \"a,]\\\"\" , 1.5e3,-Infinity, NaN ] ")
                == ["[2, 3]", "{}", "{\"chain\": null}", "\"a,]\\\"\"", "1.5e3", "-Infinity", "NaN"])
        #expect(try parts("[]").isEmpty)
    }

    @Test("gives the members of the outer object")
    func members() throws {
        let bytes = Array(#" { "chain" : null , "a\n":[1] } "#.utf8)
        let members = try bytes.withUnsafeBytes { try JSONScan.topLevelObject($0) }
        #expect(members.map { String(decoding: bytes[$0.key], as: UTF8.self) } == ["chain", #"a\n"#])
        #expect(members.map { String(decoding: bytes[$0.value], as: UTF8.self) } == ["null", "[1]"])
    }

    @Test("tells a value of another kind from broken JSON")
    func notAnArray() {
        #expect(throws: JSONError(.notAnArray, at: 0)) { try JSONScan.topLevelArray(Array("{\"a\":1}".utf8)) }
        #expect(throws: JSONError(.unexpectedEnd, at: 5)) { try JSONScan.topLevelArray(Array("{\"a\":".utf8)) }
        #expect(throws: JSONError(.trailingCharacters, at: 3)) { try JSONScan.topLevelArray(Array("[] ]".utf8)) }
    }

    @Test("lets half a surrogate pair through, since the text is passed on as it is")
    func loneSurrogate() throws {
        #expect(try parts(#"["\ud800"]"#) == [#""\ud800""#])
    }

    @Test("finds every byte that is not plain, wherever it stands in a long string")
    func longStrings() {
        for place in 0..<70 {
            for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "\"") {
                var bytes = Array("\"".utf8) + [UInt8](repeating: UInt8(ascii: "x"), count: 71) + Array("\"".utf8)
                bytes[1 + place] = byte
                let expected: JSONError? =
                    switch byte {
                    case ..<0x20: JSONError(.controlCharacter, at: 1 + place)
                    case UInt8(ascii: "\\"): JSONError(.badEscape, at: 1 + place)
                    case 0x80...: JSONError(.badUTF8, at: 1 + place)
                    default: nil
                    }
                let found = Result { () throws(JSONError) in try JSONScan.validate(bytes) }
                if case .failure(let error) = found { #expect(error == expected) } else { #expect(expected == nil) }
            }
        }
    }

    @Test("agrees with the parser on every mutilated text, and on bounds")
    func agreement() {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix(state: seed)
        let limits = JSONLimits(maxDepth: 4, maxNodes: 30)
        var accepted = 0
        for round in 0..<20_000 {
            var bytes = JSON.array([JSON.arbitrary(depth: 3, using: &random)]).bytes
            bytes.mutilate(atMost: 3, using: &random)
            let parsed = Result { try JSON(parsing: bytes, limits: limits) }
            let scanned = Result { try JSONScan.validate(bytes, limits: limits) }
            switch (parsed, scanned) {
            case (.success, .success): accepted += 1
            case (.failure(let left as JSONError), .failure(let right as JSONError)):
                #expect(left == right || left.reason == .loneSurrogate, "seed \(seed), round \(round)")
            case (.failure(let left as JSONError), .success) where left.reason == .loneSurrogate: break
            default: Issue.record("parser \(parsed), scanner \(scanned): seed \(seed), round \(round)")
            }
        }
        #expect(accepted > 1_000)
    }
}

extension [UInt8] {
    /// Changes, cuts off, inserts or removes something, so many times or less.
    mutating func mutilate(atMost times: Int, using random: inout SplitMix) {
        for _ in 0..<Int.random(in: 0...times, using: &random) {
            let place = Int.random(in: 0..<count, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: self[place] = UInt8.random(in: 0...255, using: &random)
            case 1: removeSubrange(place...)
            case 2: insert(Array("[]{},:\"\\0-.eNuI".utf8).randomElement(using: &random) ?? 0, at: place)
            default: remove(at: place)
            }
            if isEmpty { self = [0x20] }
        }
    }
}
