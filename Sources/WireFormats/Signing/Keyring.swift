private import CSigning
// Keys and certificates for signed messages (celery-wire.md §9.1).
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
    ///   - certificates: PEM texts by the names they are told apart with in errors (paths).
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

/// libcrypto's object is only read once it is made, and may be read by several threads.
private final class Certificate: @unchecked Sendable {
    private let handle: OpaquePointer
    let id: String
    /// Seconds since 1970.
    let expires: Int64

    init(_ pem: [UInt8], _ name: String, now: Int64) throws(KeyringError) {
        guard let handle = signing_certificate_read(pem, pem.count) else {
            throw KeyringError("\(name): no PEM certificate with an RSA key")
        }
        self.handle = handle
        id = String(cString: signing_certificate_id(handle))
        expires = signing_certificate_expires(handle)
        guard now < expires else { throw KeyringError("\(name): the certificate \(quoted(id)) has expired") }
    }

    deinit { signing_certificate_free(handle) }

    func verifies(_ bytes: ArraySlice<UInt8>, _ signature: [UInt8], _ digest: String) -> Bool {
        bytes.withUnsafeBytes { data in
            signing_verify(handle, digest, data.baseAddress, data.count, signature, signature.count) == SIGNING_OK
        }
    }

    fileprivate func withHandle<R>(_ body: (OpaquePointer) -> R) -> R { body(handle) }
}

/// As `Certificate`.
private final class PrivateKey: @unchecked Sendable {
    private let handle: OpaquePointer

    init(_ pem: [UInt8], password: String?) throws(KeyringError) {
        guard let handle = signing_key_read(pem, pem.count, password) else {
            let hint = password == nil ? "missing" : "wrong"
            throw KeyringError("security_key: no PEM private RSA key, or security_key_password is \(hint)")
        }
        self.handle = handle
    }

    deinit { signing_key_free(handle) }

    func matches(_ certificate: Certificate) -> Bool {
        certificate.withHandle { signing_key_matches(handle, $0) == 1 }
    }

    func sign(_ bytes: [UInt8], _ digest: String) -> [UInt8]? {
        filled(room: signing_key_size(handle)) { room in
            var length = room.count
            let status = signing_sign(handle, digest, bytes, bytes.count, room.baseAddress, &length)
            return status == SIGNING_OK ? length : nil
        }
    }
}
