// Bodies and stored results in every serializer and compression: what is taken is JSON within the limits, and what is
// written of it can be read again.
import CeleryWire
import TaskModel
import TaskhostJSON
import WireFormats

private let formats = WireFormats()
private let limits = WireLimits(maxBodyBytes: 64 << 10)
private let types: [ContentType] = [.yaml, .msgpack, .json, .auth]

extension Targets {
    /// The first byte says type and compression, 1…5 of it; the rest is the body.
    static func formats(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let type = types[Int(first) % types.count]
        let methods: [Compression?] = [nil] + Compression.allCases
        let method = methods[Int(first) / types.count % methods.count]
        guard let json = read(Array(bytes.dropFirst()), type, method) else { return }
        precondition(json.count <= 8 * limits.maxDecodedBytes)
        guard type != .json else { return }
        precondition(isJSON(json))
        guard let again = write(json, type, method), let same = read(again, type, method) else { return }
        precondition(isJSON(same))
    }

    /// A stored result. The first byte says how we would have stored it.
    static func metas(_ bytes: [UInt8]) {
        guard let first = bytes.first else { return }
        let format = ResultFormat(types[Int(first) % 3], compression: first & 0x80 == 0 ? nil : .zlib)
        let rest = Array(bytes.dropFirst())
        let documents = [rest] + (Result { try format.decode(rest) }.success.map { [$0] } ?? [])
        for document in documents {
            guard let meta = Result(catching: { try ReceivedMeta(parsing: document) }).success else { continue }
            _ = meta.failureMessage
            if let stored = Result(catching: { try format.encode(document) }).success {
                precondition(Result { try format.decode(stored) }.success != nil || meta.state.rawValue.isEmpty)
            }
        }
    }

    private static func read(_ body: [UInt8], _ type: ContentType, _ method: Compression?) -> [UInt8]? {
        Result { try Fuzz.formats.json(from: body, type, method, limits: limits, now: now) }.success
    }

    private static func write(_ json: [UInt8], _ type: ContentType, _ method: Compression?) -> [UInt8]? {
        Result { try Fuzz.formats.body(from: json, type, method) }.success
    }
}

extension Result {
    var success: Success? {
        if case .success(let value) = self { value } else { nil }
    }
}
