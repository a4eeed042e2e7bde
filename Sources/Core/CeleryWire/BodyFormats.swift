// The formats beyond plain JSON, as this module needs them. Each takes a C library, so they live in WireFormats.
public import TaskModel

/// Between the JSON in which everything is kept in here and what travels.
public protocol BodyFormats: Sendable {
    /// A body as it came, to JSON text. What came as JSON is returned unchecked.
    /// - Parameters:
    ///   - now: for certificates, which are valid for a time only.
    /// - Throws: damaged, beyond the limits, wrongly signed, or of an unknown type.
    func json(
        from body: [UInt8], _ type: ContentType, _ compression: Compression?, limits: WireLimits, now: WallTime
    ) throws(WireError) -> [UInt8]

    /// JSON text of our own making, to a body.
    /// - Throws: what the type has no way to say (integers beyond 64 bits in msgpack), or there is no key to sign with.
    func body(from json: [UInt8], _ type: ContentType, _ compression: Compression?) throws(WireError) -> [UInt8]
}

/// JSON as it is, and nothing else.
public struct PlainJSON: BodyFormats {
    public init() {}

    public func json(
        from body: [UInt8], _ type: ContentType, _ compression: Compression?, limits: WireLimits, now: WallTime
    ) throws(WireError) -> [UInt8] {
        try self.body(from: body, type, compression)
    }

    public func body(
        from json: [UInt8], _ type: ContentType, _ compression: Compression?
    ) throws(WireError) -> [UInt8] {
        guard type == .json else { throw WireError(refusing: type) }
        if let compression {
            throw WireError(
                .compressed,
                "the body is compressed ('\(compression.mimeType)'), which is not read here; send it uncompressed")
        }
        return json
    }
}

extension WireMessage {
    /// The same message with its body, so far plain JSON, in this type and compression. A message whose body is no
    /// plain JSON any more (sent again as it came) is left alone.
    public func encoded(
        as type: ContentType, _ compression: Compression?, by formats: any BodyFormats
    ) throws(WireError) -> WireMessage {
        let isPlain = properties.contentType == ContentType.json.mimeType && headers[HeaderName.compression] == nil
        guard isPlain, type != .json || compression != nil else { return self }
        var message = self
        message.body = try formats.body(from: body, type, compression)
        message.properties.contentType = type.mimeType
        message.properties.contentEncoding = type.encoding
        if let compression { message.headers[HeaderName.compression] = .string(compression.mimeType) }
        return message
    }
}

extension WireError {
    /// Of content that is not read here; of pickle with the fix.
    public init(refusing type: ContentType) {
        guard type == .pickle else {
            self.init(
                .refusedContentType, "content of type \(type.name) is not read here; send json")
            return
        }
        self.init(
            .refusedContentType,
            "Refusing to deserialize untrusted content of type pickle ('\(type.mimeType)'): reading it would run the "
                + "sender's code; let the client set task_serializer = 'json', 'msgpack' or 'yaml'")
    }
}
