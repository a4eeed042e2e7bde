// What the tests of this module share: the fixtures, and values without an order of keys.
import CeleryWire
import Foundation
import TaskModel
import TaskhostJSON
import Testing

@testable import WireFormats

let noon = WallTime(microseconds: 1_795_435_200_000_000)
let formats = WireFormats()

/// A body of a stock Kombu, and the JSON of what is in it.
struct Captured: Sendable, CustomTestStringConvertible {
    var type: ContentType
    var compression: Compression?
    var body: [UInt8]
    var json: JSON

    var testDescription: String { "\(type.name), \(compression?.rawValue ?? "as it is"), \(body.count) bytes" }

    static let all: [Captured] = fixture("bodies").elements?.compactMap(Captured.init) ?? []

    init?(_ entry: JSON) {
        guard let type = entry["content_type"]?.text.flatMap(ContentType.named), let text = entry["json"]?.text,
            let body = entry["body"]?.text.flatMap({ Base64.decode(Array($0.utf8)) })
        else { return nil }
        self.type = type
        compression = entry["compression"]?.text.flatMap(Compression.named)
        self.body = body
        json = parsed(Array(text.utf8))
    }
}

func fixture(_ name: String) -> JSON {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/\(name).json")
    return parsed((try? Data(contentsOf: file)).map { [UInt8]($0) } ?? [])
}

/// With the keys of objects in order, as serializers are free to choose another; what is no JSON is null.
func parsed(_ bytes: [UInt8]) -> JSON {
    guard case .success(let value) = Result(catching: { try JSON(parsing: bytes, limits: .trusted) }) else {
        return .null
    }
    return sorted(value)
}

func sorted(_ value: JSON) -> JSON {
    switch value {
    case .array(let elements): .array(elements.map(sorted))
    case .object(let members):
        .object(members.map { JSONMember(key: $0.key, value: sorted($0.value)) }.sorted { $0.key < $1.key })
    default: value
    }
}

func read(_ body: [UInt8], _ type: ContentType, _ method: Compression? = nil, limits: WireLimits = .standard) throws
    -> JSON
{
    parsed(try formats.json(from: body, type, method, limits: limits, now: noon))
}

/// Why it is refused; nil: it is not.
func refusal(
    _ body: [UInt8], _ type: ContentType, _ method: Compression? = nil, limits: WireLimits = .standard
) -> WireError.Code? {
    do throws(WireError) {
        _ = try formats.json(from: body, type, method, limits: limits, now: noon)
        return nil
    } catch {
        return error.code
    }
}

func yaml(_ text: String, limits: WireLimits = .standard) throws -> JSON {
    try read(Array(text.utf8), .yaml, limits: limits)
}
