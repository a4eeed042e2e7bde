// Bodies and results in every serializer and compression Celery knows, save pickle. Hostile input ends here, too.
public import CeleryWire
public import TaskModel
import TaskhostJSON

public struct WireFormats: BodyFormats {
    private let keyring: Keyring?

    /// - Parameters:
    ///   - keyring: for signed bodies (`auth`); nil: they are refused, and none can be sent.
    public init(keyring: Keyring? = nil) { self.keyring = keyring }

    public func json(
        from body: [UInt8], _ type: ContentType, _ compression: Compression?, limits: WireLimits, now: WallTime
    ) throws(WireError) -> [UInt8] {
        let plain =
            try compression.map { method throws(WireError) in
                try method.decompress(body, limit: limits.maxDecodedBytes)
            } ?? body
        switch type {
        case .json: return plain
        case .yaml: return try YAMLReader.json(plain, limits: limits)
        case .msgpack: return try MsgpackReader.json(plain, limits: limits)
        case .auth: return try opened(plain, limits: limits, now: now)
        default: throw WireError(refusing: type)
        }
    }

    public func body(
        from json: [UInt8], _ type: ContentType, _ compression: Compression?
    ) throws(WireError) -> [UInt8] {
        let plain: [UInt8] =
            switch type {
            case .json: json
            case .yaml: try YAMLWriter.bytes(parsed(json))
            case .msgpack: try MsgpackWriter.bytes(parsed(json))
            case .auth: try sealed(json)
            default: throw WireError(refusing: type)
            }
        return try compression.map { method throws(WireError) in try method.compress(plain) } ?? plain
    }

    private func parsed(_ json: [UInt8]) throws(WireError) -> JSON {
        do throws(JSONError) {
            return try JSON(parsing: json, limits: .trusted)
        } catch {
            throw WireError(body: error)
        }
    }

    /// Nothing of the content is looked at before its signature is known to be good.
    private func opened(_ text: [UInt8], limits: WireLimits, now: WallTime) throws(WireError) -> [UInt8] {
        guard let keyring else {
            throw WireError(.badSignature, "a signed body, and no security_cert_store is set to check it by")
        }
        let signed = try SignedBody(parsing: text)
        try keyring.verify(
            signed.payload, signature: signed.signature, signer: signed.signer,
            now: now.microseconds / 1_000_000)
        // One signature is enough, and a signature does not make pickle any safer.
        guard let type = ContentType.named(signed.contentType), type != .auth else {
            throw WireError(.refusedContentType, "a signed body holds content of type \(quoted(signed.contentType))")
        }
        return try json(from: Array(signed.payload), type, nil, limits: limits, now: now)
    }

    private func sealed(_ json: [UInt8]) throws(WireError) -> [UInt8] {
        guard let keyring, let (signature, signer) = keyring.sign(json) else {
            throw WireError(.badSignature, "there is no key to sign with: set security_key and security_certificate")
        }
        return SignedBody.bytes(signer: signer, signature: signature, type: .json, payload: json)
    }
}
