// A certificate of somebody who signs messages (celery-protocol.md §9.1), read by OpenSSL's libcrypto.
private import COpenSSL
import CeleryWire
import Glibc

/// libcrypto's object is only read once it is made, and may be read by several threads.
final class Certificate: @unchecked Sendable {
    /// EVP_PKEY.
    fileprivate let key: OpaquePointer
    /// Who signed, as a signed message names it.
    let id: String
    /// End of its validity, seconds since 1970.
    let expires: Int64

    /// - Parameters:
    ///   - pem: a text whose first certificate is taken.
    ///   - name: for errors.
    ///   - now: seconds since 1970.
    /// - Throws: there is no certificate, it has no RSA key, or it has expired.
    init(_ pem: [UInt8], _ name: String, now: Int64) throws(KeyringError) {
        guard let read = Self.read(pem) else { throw KeyringError("\(name): no PEM certificate with an RSA key") }
        (key, id, expires) = read
        guard now < expires else { throw KeyringError("\(name): the certificate \(quoted(id)) has expired") }
    }

    deinit { EVP_PKEY_free(key) }

    func verifies(_ bytes: ArraySlice<UInt8>, _ signature: [UInt8], _ digest: String) -> Bool {
        defer { ERR_clear_error() }
        let work = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(work) }
        var context: OpaquePointer?
        guard let work, let kind = EVP_get_digestbyname(digest),
            EVP_DigestVerifyInit(work, &context, kind, nil, key) == 1, PSSPadding.set(context, key, kind)
        else { return false }
        return bytes.withUnsafeBufferPointer { data in
            EVP_DigestVerify(work, signature, signature.count, data.baseAddress, data.count) == 1
        }
    }

    private static func read(_ pem: [UInt8]) -> (key: OpaquePointer, id: String, expires: Int64)? {
        defer { ERR_clear_error() }
        return PEMText.read(pem) { text in
            let certificate = PEM_read_bio_X509(text, nil, nil, nil)
            defer { X509_free(certificate) }
            var end = tm()
            guard let certificate, let id = id(of: certificate),
                ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1, let key = X509_get_pubkey(certificate)
            else { return nil }
            guard EVP_PKEY_is_a(key, "RSA") == 1 else {
                EVP_PKEY_free(key)
                return nil
            }
            return (key, id, Int64(timegm(&end)))
        }
    }

    /// The values of the issuer's attributes, each followed by a space, and the serial number in decimal.
    private static func id(of certificate: OpaquePointer) -> String? {
        let issuer = X509_get_issuer_name(certificate)
        var bytes: [UInt8] = []
        for index in 0..<X509_NAME_entry_count(issuer) {
            var value: UnsafeMutablePointer<UInt8>?
            let size = ASN1_STRING_to_UTF8(&value, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(issuer, index)))
            defer { CRYPTO_free(value, nil, 0) }
            let text = UnsafeBufferPointer(start: value, count: Int(max(0, size)))
            // A NUL inside would make two issuers look like one where C strings are compared.
            guard size >= 0, !text.contains(0) else { return nil }
            bytes += text
            bytes.append(UInt8(ascii: " "))
        }
        let serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nil)
        defer { BN_free(serial) }
        guard let serial, let digits = BN_bn2dec(serial) else { return nil }
        defer { CRYPTO_free(digits, nil, 0) }
        return String(decoding: bytes, as: UTF8.self) + String(cString: digits)
    }
}

/// A private key, as `Certificate`.
final class PrivateKey: @unchecked Sendable {
    /// EVP_PKEY.
    private let key: OpaquePointer

    /// - Parameter password: of an encrypted one.
    /// - Throws: it is no private RSA key in PEM, or the password is missing or wrong.
    init(_ pem: [UInt8], password: String?) throws(KeyringError) {
        guard let key = Self.read(pem, password ?? "") else {
            let hint = password == nil ? "missing" : "wrong"
            throw KeyringError("security_key: no PEM private RSA key, or security_key_password is \(hint)")
        }
        self.key = key
    }

    deinit { EVP_PKEY_free(key) }

    /// Whether the certificate vouches for this key.
    func matches(_ certificate: Certificate) -> Bool {
        defer { ERR_clear_error() }
        return EVP_PKEY_eq(key, certificate.key) == 1
    }

    /// nil: the key is too small for a signature with this digest.
    func sign(_ bytes: [UInt8], _ digest: String) -> [UInt8]? {
        defer { ERR_clear_error() }
        let work = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(work) }
        var context: OpaquePointer?
        guard let work, let kind = EVP_get_digestbyname(digest),
            EVP_DigestSignInit(work, &context, kind, nil, key) == 1, PSSPadding.set(context, key, kind)
        else { return nil }
        return filled(room: Int(EVP_PKEY_get_size(key))) { room in
            var length = room.count
            return EVP_DigestSign(work, room.baseAddress, &length, bytes, bytes.count) == 1 ? length : nil
        }
    }

    private static func read(_ pem: [UInt8], _ password: String) -> OpaquePointer? {
        defer { ERR_clear_error() }
        return PEMText.read(pem) { text in
            var password = password
            let found = password.withUTF8 { given in
                withUnsafePointer(to: given) { PEM_read_bio_PrivateKey(text, nil, givePassword, .init(mutating: $0)) }
            }
            guard let found, EVP_PKEY_is_a(found, "RSA") != 1 else { return found }
            EVP_PKEY_free(found)
            return nil
        }
    }
}

/// A `pem_password_cb`. Without one libcrypto would ask for a password on the terminal.
private func givePassword(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: Int32, _ isWriting: Int32, _ given: UnsafeMutableRawPointer?
) -> Int32 {
    guard let buffer, let given = given?.load(as: UnsafeBufferPointer<UInt8>.self), let bytes = given.baseAddress,
        !given.isEmpty, given.count <= size
    else { return -1 }
    memcpy(buffer, bytes, given.count)
    return Int32(given.count)
}

private enum PEMText {
    /// What is read of a text, while it is there.
    static func read<Value>(_ pem: [UInt8], _ read: (OpaquePointer) -> Value?) -> Value? {
        pem.withUnsafeBytes { bytes in
            guard let count = Int32(exactly: bytes.count), let text = BIO_new_mem_buf(bytes.baseAddress, count) else {
                return nil
            }
            defer { BIO_free(text) }
            return read(text)
        }
    }
}

/// RSA-PSS as Celery's `auth` serializer has it.
private enum PSSPadding {
    /// The longest salt that fits, given as a number: verification must not take shorter ones.
    /// - Returns: false, if the key is too small for the digest.
    static func set(_ context: OpaquePointer?, _ key: OpaquePointer, _ digest: OpaquePointer) -> Bool {
        let encoded = (EVP_PKEY_get_bits(key) - 1 + 7) / 8
        let salt = encoded - EVP_MD_get_size(digest) - 2
        return salt >= 0 && EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0
            && EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest) > 0
            && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, salt) > 0
    }
}
