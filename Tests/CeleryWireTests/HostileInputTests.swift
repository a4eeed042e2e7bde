// Mutilated messages by the thousand: an answer to each, never a crash. A run that fails prints its seed.
import CeleryWire
import TaskModel
import TaskhostJSON
import TestKit
import Testing

@Suite("Hostile input")
struct HostileInputTests {
    @Test("whatever is sent, the decoder takes it or refuses it, and what it takes is whole")
    func mutations() throws {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix(state: seed)
        let samples = try GoldenTests.cases("messages").map { try GoldenTests.wire(try #require($0["message"])) }
        let decoder = MessageDecoder()
        var taken = 0
        var refused: Set<WireError.Code> = []
        for round in 0..<30_000 {
            var wire = samples.randomElement(using: &random)!
            for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&wire, using: &random) }
            do throws(WireError) {
                let delivery = delivery(wire)
                let message = try decoder.decode(delivery, now: noon)
                taken += 1
                #expect(!message.id.isEmpty && !message.name.isEmpty, "seed \(seed), round \(round)")
                #expect(throws: Never.self, "seed \(seed), round \(round)") {
                    try JSONScan.validate(message.body)
                    try JSONScan.validate(HeadersJSON.bytes(wire.headers))
                    let again = Republication.retry(delivery, message, eta: noon, retries: 1, now: noon)
                    let repeated = try decoder.decode(CeleryWireTests.delivery(again), now: noon)
                    #expect(repeated.body == message.body)
                }
            } catch {
                refused.insert(error.code)
                #expect(!error.logLine.contains("\n"))
                let dead = Republication.deadLetter(
                    delivery(wire), nil, reason: error.detail, kind: .refused, report: nil, starts: 0, at: noon)
                #expect(Republication.deadReport(of: dead)?.verdict == "refused")
            }
        }
        // The mutations reach both sides of the fence.
        #expect(taken > 1_000, "seed \(seed)")
        #expect(
            refused.isSuperset(of: [.malformedBody, .badEncoding, .malformedHeader, .badTime, .notATask, .missingID]),
            "seed \(seed)")
    }

    @Test("every truncation of every body is answered")
    func truncations() throws {
        for golden in try GoldenTests.cases("messages") {
            let wire = try GoldenTests.wire(try #require(golden["message"]))
            for length in 0..<wire.body.count {
                var cut = wire
                cut.body = Array(wire.body.prefix(length))
                #expect(throws: WireError.self) { try MessageDecoder().decode(delivery(cut), now: noon) }
            }
        }
    }

    @Test("times of random characters never crash the reader")
    func times() {
        let seed = UInt64.random(in: 0...(.max))
        var random = SplitMix(state: seed)
        let alphabet = Array("0123456789-:+.TZW ,é")
        for _ in 0..<50_000 {
            let text = String(
                (0..<Int.random(in: 0...30, using: &random)).map { _ in alphabet.randomElement(using: &random)! })
            if let time = ISO8601.parse(text) {
                #expect(
                    ISO8601.parse(ISO8601.format(time)) == time || abs(time.microseconds) > 62_000_000_000_000_000,
                    "\(text)")
            }
        }
    }

    private func mutate(_ wire: inout WireMessage, using random: inout SplitMix) {
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            guard !wire.body.isEmpty else { return }
            let place = Int.random(in: 0..<wire.body.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: wire.body[place] = UInt8.random(in: 0...255, using: &random)
            case 1:
                wire.body.removeSubrange(place..<min(wire.body.count, place + Int.random(in: 1...40, using: &random)))
            case 2:
                wire.body.insert(
                    contentsOf: [UInt8](repeating: UInt8(ascii: "["), count: Int.random(in: 1...50, using: &random)),
                    at: place)
            case 3: wire.body.append(contentsOf: wire.body[place...])
            default: wire.body[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
            }
        case 2:
            wire.headers[wire.headers.fields.randomElement(using: &random)?.key ?? "id"] = nil
        case 3, 4:
            let key = wire.headers.fields.randomElement(using: &random)?.key ?? "task"
            wire.headers[key] = value(depth: 3, using: &random)
        case 5:
            wire.headers[
                ["taskhost-starts", "compression", "taskhost-wire-error", "x"].randomElement(using: &random)!] = value(
                    depth: 12, using: &random)
        case 6:
            wire.properties.contentType = [nil, "application/json", "application/x-yaml", ";", "é"].randomElement(
                using: &random)!
        default:
            wire.properties.contentEncoding = [nil, "utf-8", "binary", "utf-16", "\0"].randomElement(using: &random)!
        }
    }

    private func value(depth: Int, using random: inout SplitMix) -> FieldValue {
        switch Int.random(in: 0..<(depth > 0 ? 10 : 8), using: &random) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &random))
        case 2: return .int(Int64(bitPattern: random.next()))
        case 3: return .double(Double(bitPattern: random.next()))
        case 4:
            return .string(
                ["", "x", "2026-11-23T12:00:00", "\u{0}\n", String(repeating: "é", count: 300)].randomElement(
                    using: &random)!)
        case 5: return .bytes((0..<8).map { _ in UInt8.random(in: 0...255, using: &random) })
        case 6: return .timestamp(random.next())
        case 7: return .int(Int64.random(in: -2...20, using: &random))
        case 8:
            return .array(
                (0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth: depth - 1, using: &random) })
        default:
            return .table(
                FieldTable(
                    (0..<Int.random(in: 0...3, using: &random)).map {
                        FieldTable.Field(key: "k\($0)", value: value(depth: depth - 1, using: &random))
                    }))
        }
    }
}
