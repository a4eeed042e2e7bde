// Which body formats there are in Celery, and which of them are read (celery-wire.md §1.6).

/// A serializer as Celery names it.
public struct ContentType: Sendable, Equatable {
    public var name: String
    public var mimeType: String
    /// Whether this version can decode it.
    public var isSpoken: Bool

    public static let json = ContentType(name: "json", mimeType: "application/json", isSpoken: true)

    public static let known: [ContentType] = [
        json,
        ContentType(name: "yaml", mimeType: "application/x-yaml", isSpoken: false),
        ContentType(name: "msgpack", mimeType: "application/x-msgpack", isSpoken: false),
        ContentType(name: "pickle", mimeType: "application/x-python-serialize", isSpoken: false),
        ContentType(name: "auth", mimeType: "application/data", isSpoken: false),
    ]

    /// By name or MIME type; parameters ("; charset=…") and case do not matter.
    public static func named(_ text: String) -> ContentType? {
        if text == json.mimeType { return json }
        let bare = text.utf8.split(separator: UInt8(ascii: ";"), maxSplits: 1).first.map { String(Substring($0)) } ?? ""
        let key = bare.filter { $0 != " " }.lowercased()
        return known.first { $0.name == key || $0.mimeType == key }
    }
}
