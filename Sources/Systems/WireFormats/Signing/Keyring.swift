// Keys and certificates for signed messages (celery-protocol.md §9.1).
import CeleryWire

/// Why signing cannot be set up. Says how to mend it.
public struct KeyringError: Error, Sendable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}

/// Whose signatures are believed, and what we sign with. Not changed once it is made.
public final class Keyring: Sendable {
    private let certificates: [String: Certificate]
    private let own: (key: PrivateKey, certificate: Certificate)?
    private let digest: String

    /// - Parameters:
    ///   - certificates: PEM texts by the names that errors use for them (paths).
    ///   - key, certificate: what our own messages are signed with, PEM; nil: we only verify.
    ///   - digest: `security_digest`: "sha256", "sha512" and so on.
    ///   - now: seconds since 1970; a certificate that is past its time is an error.
    public init(
        certificates: [(name: String, pem: [UInt8])], key: [UInt8]? = nil, keyPassword: String? = nil,
        certificate: [UInt8]? = nil, digest: String = "sha256", now: Int64
    ) throws(KeyringError) {
        guard Self.digests.contains(digest.lowercased()) else {
            throw KeyringError("security_digest \(quoted(digest)) is none of \(Self.digests.joined(separator: ", "))")
        }
        var known: [String: Certificate] = [:]
        for (name, pem) in certificates {
            let certificate = try Certificate(pem, name, now: now)
            guard known.updateValue(certificate, forKey: certificate.id) == nil else {
                throw KeyringError("\(name): a second certificate \(quoted(certificate.id)); remove one of them")
            }
        }
        self.certificates = known
        self.digest = digest.lowercased()
        switch (key, certificate) {
        case (let key?, let certificate?):
            let own = (
                try PrivateKey(key, password: keyPassword), try Certificate(certificate, "certificate", now: now)
            )
            guard own.0.matches(own.1) else {
                throw KeyringError("security_key does not belong to security_certificate")
            }
            self.own = own
        case (nil, nil): own = nil
        default: throw KeyringError("security_key and security_certificate are to be given together")
        }
    }

    private static let digests = ["sha256", "sha224", "sha384", "sha512"]

    public var canSign: Bool { own != nil }

    /// - Throws: unknown signer, a certificate past its time, or a signature of something else.
    func verify(_ bytes: ArraySlice<UInt8>, signature: [UInt8], signer: String, now: Int64) throws(WireError) {
        guard let certificate = certificates[signer] else {
            throw WireError(.badSignature, "the body is signed by \(quoted(signer)), of whom there is no certificate")
        }
        guard now < certificate.expires else {
            throw WireError(.badSignature, "the certificate \(quoted(signer)) has expired")
        }
        guard certificate.verifies(bytes, signature, digest) else {
            throw WireError(.badSignature, "the signature of \(quoted(signer)) is not that of this body")
        }
    }

    /// The signature and the name to look its certificate up by; nil: there is no key, or it is too small.
    func sign(_ bytes: [UInt8]) -> (signature: [UInt8], signer: String)? {
        guard let own, let signature = own.key.sign(bytes, digest) else { return nil }
        return (signature, own.certificate.id)
    }
}
