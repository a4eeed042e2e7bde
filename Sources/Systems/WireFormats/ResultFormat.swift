// Results in the serializer and compression of the shop (celery-protocol.md §4.1, §4.4).
public import CeleryWire
public import Ports
import TaskModel
import TaskhostJSON

public struct ResultFormat: ResultCodec {
    /// Before a compressed document: these words between zero bytes, the MIME type, a zero byte. No document of any
    /// serializer begins with a zero byte.
    private static let mark: [UInt8] = [0] + Array("celery-compressed".utf8) + [0]
    /// Bytes a stored document may have decompressed.
    private static let limits = WireLimits(maxBodyBytes: 60 << 20, maxDepth: 512, maxNodes: 16_000_000)

    private static let opening: [UInt8] = [UInt8(ascii: "{"), UInt8(ascii: "[")]

    private let type: ContentType
    private let compression: Compression?
    private let formats = WireFormats()

    /// - Parameters:
    ///   - type: `result_serializer`: json, msgpack or yaml.
    ///   - compression: `result_compression`, for stores that mark it (Redis).
    public init(_ type: ContentType = .json, compression: Compression? = nil) {
        self.type = type
        self.compression = compression
    }

    public var contentType: String { type.mimeType }
    public var contentEncoding: String { type.encoding }
    public var uncompressed: any ResultCodec { ResultFormat(type) }

    public func encode(_ meta: [UInt8]) throws(StoreFailure) -> [UInt8] {
        do throws(WireError) {
            guard let compression else { return try formats.body(from: meta, type, nil) }
            let body = try formats.body(from: meta, type, compression)
            return Self.mark + Array(compression.mimeType.utf8) + [0] + body
        } catch {
            throw StoreFailure("The result cannot be written as \(type.name): \(error)", .unfit)
        }
    }

    public func decode(_ stored: [UInt8]) throws(StoreFailure) -> [UInt8] {
        do throws(WireError) {
            return try read(stored)
        } catch {
            throw StoreFailure(
                "The stored result cannot be read: \(error)", .unfit,
                fix: "Use the same result serializer everywhere")
        }
    }

    private func read(_ stored: [UInt8]) throws(WireError) -> [UInt8] {
        guard stored.starts(with: Self.mark) else { return try plain(stored, nil) }
        let rest = stored[Self.mark.count...]
        guard let end = rest.prefix(64).firstIndex(of: 0),
            let method = Compression.named(String(decoding: rest[..<end], as: UTF8.self))
        else { throw WireError(.compressed, "it is compressed by a method that is not read") }
        return try plain(Array(stored[(end + 1)...]), method)
    }

    /// Stored before the serializer was changed. (A list or a map of msgpack never begins like JSON; YAML may, and may
    /// be JSON, too.)
    private static func isJSON(_ document: [UInt8]) -> Bool {
        do throws(JSONError) {
            try JSONScan.validate(document, limits: .trusted)
            return true
        } catch {
            return false
        }
    }

    private func plain(_ body: [UInt8], _ method: Compression?) throws(WireError) -> [UInt8] {
        let now = WallTime(microseconds: 0)
        let plain = try formats.json(from: body, .json, method, limits: Self.limits, now: now)
        if type == .json || plain.first.map(Self.opening.contains) == true && Self.isJSON(plain) { return plain }
        return try formats.json(from: plain, type, nil, limits: Self.limits, now: now)
    }
}
