// The body `[args, kwargs, embed]` of protocol 2 (celery-protocol.md §1.4), found without being decoded.
import TaskModel
import TaskhostJSON

extension TaskMessage {
    func scanBody(_ bytes: [UInt8], limits: WireLimits) throws(WireError) -> [Range<Int>] {
        do throws(JSONError) {
            return try JSONScan.topLevelArray(bytes, limits: limits.json)
        } catch {
            throw WireError(body: error)
        }
    }

    mutating func takeBodyList(_ bytes: [UInt8], _ parts: [Range<Int>]) throws(WireError) {
        guard 2...3 ~= parts.count else {
            throw WireError(.malformedBody, "the body has \(parts.count) elements instead of [args, kwargs, embed]")
        }
        let isPlain = parts.count == 3 && !parts.contains { bytes[$0.lowerBound] == UInt8(ascii: "n") }
        if isPlain {
            body = bytes
            (argsRange, kwargsRange, embedRange) = (parts[0], parts[1], parts[2])
        } else {
            // null, or nothing, in place of an empty part.
            func part(_ index: Int, else empty: String) -> ArraySlice<UInt8> {
                guard index < parts.count, bytes[parts[index].lowerBound] != UInt8(ascii: "n") else {
                    return Array(empty.utf8)[...]
                }
                return bytes[parts[index]]
            }
            setBody(args: part(0, else: "[]"), kwargs: part(1, else: "{}"), embed: part(2, else: "{}"))
        }
        guard body[embedRange.lowerBound] == UInt8(ascii: "{") else {
            throw WireError(.malformedBody, "the third element of the body (embed) is no map")
        }
        hasContinuations = try Self.findsContinuations(in: body, embedRange)
        checkArguments()
    }

    mutating func setBody(
        args: some Collection<UInt8>, kwargs: some Collection<UInt8>, embed: some Collection<UInt8>
    ) {
        var text: [UInt8] = []
        text.reserveCapacity(args.count + kwargs.count + embed.count + 4)
        text.append(UInt8(ascii: "["))
        text.append(contentsOf: args)
        argsRange = 1..<text.count
        text.append(UInt8(ascii: ","))
        text.append(contentsOf: kwargs)
        kwargsRange = (argsRange.upperBound + 1)..<text.count
        text.append(UInt8(ascii: ","))
        text.append(contentsOf: embed)
        embedRange = (kwargsRange.upperBound + 1)..<text.count
        text.append(UInt8(ascii: "]"))
        body = text
    }

    /// A task can be called with a list and a map and nothing else.
    mutating func checkArguments() {
        if body[argsRange.lowerBound] != UInt8(ascii: "[") {
            argumentsFailure = CeleryFailure.typeError("\(function)() argument after * must be a list")
        } else if body[kwargsRange.lowerBound] != UInt8(ascii: "{") {
            argumentsFailure = CeleryFailure.typeError("\(function)() argument after ** must be a mapping")
        }
    }

    /// What Python would call it: the name after the last dot.
    private var function: String { name.split(separator: ".").last.map(String.init) ?? name }

    private static let nothingFollows: [[UInt8]] = [
        Array("{}".utf8),
        Array(#"{"callbacks": null, "errbacks": null, "chain": null, "chord": null}"#.utf8),
        Array(#"{"callbacks":null,"errbacks":null,"chain":null,"chord":null}"#.utf8),
    ]

    /// A message that will not be run, with what was to follow it; whatever is wrong with that is left out.
    mutating func takeContinuations(of embed: ArraySlice<UInt8>) {
        guard embed.first == UInt8(ascii: "{") else { return }
        setBody(args: "[]".utf8, kwargs: "{}".utf8, embed: embed)
        do throws(WireError) {
            hasContinuations = try Self.findsContinuations(in: body, embedRange)
        } catch {
            hasContinuations = false
        }
    }

    /// A key with half of a surrogate pair passes the scan and can be held by nothing: refused here, since what follows
    /// would be lost later.
    private static func checkReadable(_ text: [UInt8]) throws(WireError) {
        let mayHoldHalves = text.indices.dropLast(2).contains { at in
            text[at] == UInt8(ascii: "\\") && text[at + 1] == UInt8(ascii: "u")
                && text[at + 2] | 0x20 == UInt8(ascii: "d")
        }
        guard mayHoldHalves else { return }
        do throws(JSONError) {
            _ = try JSON(parsing: text, limits: .trusted)
        } catch {
            throw WireError(body: error)
        }
    }

    /// Without making values of it: a canvas of thousands of tasks may lie there.
    private static func findsContinuations(in body: [UInt8], _ embed: Range<Int>) throws(WireError) -> Bool {
        // What nearly every message says, found by comparing bytes.
        if nothingFollows.contains(where: { $0.count == embed.count && isSame($0, body, at: embed.lowerBound) }) {
            return false
        }
        let text = Array(body[embed])
        let members: [JSONScan.Member]
        do throws(JSONError) {
            // Bounded already: it is part of the body.
            members = try JSONScan.topLevelObject(text, limits: .trusted)
        } catch {
            throw WireError(body: error)
        }
        try checkReadable(text)
        // A key with escapes may be any of them; to look closer later does no harm.
        if members.contains(where: { text[$0.key].contains(UInt8(ascii: "\\")) }) { return true }
        return following.contains { name in
            // Of duplicates the last one wins.
            guard let member = members.last(where: { text[$0.key].elementsEqual(name) }) else { return false }
            let value = text[member.value].lazy.filter { $0 > 0x20 }.prefix(5)
            return !nothing.contains { value.elementsEqual($0) }
        }
    }

    private static func isSame(_ text: [UInt8], _ body: [UInt8], at start: Int) -> Bool {
        text.withUnsafeBytes { text in
            body.withUnsafeBytes { body in
                var offset = 0
                while text.count - offset >= 8 {
                    let words = (
                        text.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                        body.loadUnaligned(fromByteOffset: start + offset, as: UInt64.self)
                    )
                    guard words.0 == words.1 else { return false }
                    offset += 8
                }
                while offset < text.count {
                    guard text[offset] == body[start + offset] else { return false }
                    offset += 1
                }
                return true
            }
        }
    }

    private static let following = ["callbacks", "errbacks", "chain", "chord"].map { Array($0.utf8) }
    private static let nothing = ["null", "[]", "{}"].map { Array($0.utf8) }
}
