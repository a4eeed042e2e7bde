// Which body formats there are in Celery, and which of them are read (celery-protocol.md §1.6).

/// A serializer as Celery names it.
public struct ContentType: Sendable, Equatable {
    public var name: String
    public var mimeType: String
    /// As Kombu labels it in `content_encoding`.
    public var encoding: String

    public static let json = ContentType("json", "application/json", "utf-8")
    public static let yaml = ContentType("yaml", "application/x-yaml", "utf-8")
    public static let msgpack = ContentType("msgpack", "application/x-msgpack", "binary")
    /// A body of another type, signed.
    public static let auth = ContentType("auth", "application/data", "utf-8")
    /// Reading it would run what the sender likes.
    public static let pickle = ContentType("pickle", "application/x-python-serialize", "binary")

    public static let known: [ContentType] = [json, yaml, msgpack, auth, pickle]

    private init(_ name: String, _ mimeType: String, _ encoding: String) {
        self.name = name
        self.mimeType = mimeType
        self.encoding = encoding
    }

    /// By name or MIME type; parameters ("; charset=…") and case do not matter.
    public static func named(_ text: String) -> ContentType? {
        if text == json.mimeType { return json }
        let bare = text.utf8.split(separator: UInt8(ascii: ";"), maxSplits: 1).first.map { String(Substring($0)) } ?? ""
        let key = bare.filter { $0 != " " }.lowercased()
        return known.first { $0.name == key || $0.mimeType == key }
    }
}
