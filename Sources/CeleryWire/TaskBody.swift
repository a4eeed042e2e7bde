// The body `[args, kwargs, embed]` of protocol 2 (celery-wire.md §1.4), found without being decoded.
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

    private static func findsContinuations(in body: [UInt8], _ embed: Range<Int>) throws(WireError) -> Bool {
        // What nearly every message says, told by comparing bytes.
        if nothingFollows.contains(where: { $0.count == embed.count && body[embed].elementsEqual($0) }) { return false }
        let tree: JSON
        do throws(JSONError) {
            // Bounded already: it is part of the body.
            tree = try JSON(parsing: body[embed], limits: .trusted)
        } catch {
            throw WireError(body: error)
        }
        return ["callbacks", "errbacks", "chain", "chord"].contains { key in
            switch tree[key] {
            case nil, .null: false
            case .array(let elements): !elements.isEmpty
            case .object(let members): !members.isEmpty
            default: true
            }
        }
    }
}
