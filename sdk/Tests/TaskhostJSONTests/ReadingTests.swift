// Reading value by value: what comes, and that it agrees with the parser on what is valid.
import TaskhostJSON
import Testing

@Suite("Reading JSON value by value")
struct ReadingTests {
    /// The tree that the parser makes, by the reader's means.
    private func tree(_ reader: inout JSONReader) throws(JSONError) -> JSON {
        if reader.isText {
            guard let text = try reader.text() else { return .null }
            return text.wholeString.map { .string($0) } ?? .surrogates(text.string)
        }
        var members: [JSONMember] = []
        var other: JSON?
        let start = reader
        let isObject = try reader.object { reader, key throws(JSONError) in
            let value = try tree(&reader)
            if let place = members.firstIndex(where: { key.isEqual(to: $0.key) }) {
                members[place].value = value
            } else {
                members.append(JSONMember(key: key.string, value: value))
            }
        }
        if !isObject {
            reader = start
            other = try reader.value()
        }
        return other ?? .object(members)
    }

    private func read(_ bytes: [UInt8], _ limits: JSONLimits) -> Result<JSON, JSONError> {
        do throws(JSONError) {
            return .success(
                try JSONReader.read(bytes, limits: limits) { reader throws(JSONError) in try tree(&reader) })
        } catch {
            return .failure(error)
        }
    }

    private func parse(_ bytes: [UInt8], _ limits: JSONLimits) -> Result<JSON, JSONError> {
        do throws(JSONError) {
            return .success(try JSON(parsing: bytes, limits: limits))
        } catch {
            return .failure(error)
        }
    }

    @Test("gives keys and texts as they are meant, however they are written")
    func texts() throws {
        let bytes = Array(#" {"a\u0062" : "x\/y", "id":"1", "n": null, "id":"2"} "#.utf8)
        var seen: [String] = []
        try JSONReader.read(bytes) { reader throws(JSONError) in
            try reader.object { reader, key throws(JSONError) in
                let isNamed = key.isEqual(to: "ab" as StaticString) || key.isEqual(to: "id" as StaticString)
                seen.append("\(key.string) \(isNamed) \(try reader.text()?.string ?? "none")")
            }
        }
        #expect(seen == ["ab true x/y", "id true 1", "n false none", "id true 2"])
    }

    @Test("keeps halves of surrogate pairs only where the limits do, and never in a key")
    func surrogates() {
        let keeps = JSONLimits(maxDepth: 8, maxNodes: 100, keepsSurrogates: true)
        for text in [#""\ud800""#, #"{"a":"\ud800"}"#, #"{"\ud800":1}"#] {
            #expect(read(Array(text.utf8), .wire) == parse(Array(text.utf8), .wire))
            #expect(read(Array(text.utf8), keeps) == parse(Array(text.utf8), keeps))
        }
    }

    @Test("agrees with the parser on every mutilated text, and on bounds")
    func agreement() {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix(state: seed)
        let limits = JSONLimits(maxDepth: 4, maxNodes: 30)
        var accepted = 0
        for round in 0..<20_000 {
            let value = JSON.arbitrary(depth: 3, using: &random)
            var bytes = JSON.object([JSONMember(key: "k", value: value), JSONMember(key: "l", value: value)]).bytes
            bytes.mutilate(atMost: 2, using: &random)
            let (parsed, found) = (parse(bytes, limits), read(bytes, limits))
            if case .success = parsed { accepted += 1 }
            // A NaN is not equal to itself.
            #expect("\(parsed)" == "\(found)", "seed \(seed), round \(round)")
        }
        #expect(accepted > 1_000)
    }
}
