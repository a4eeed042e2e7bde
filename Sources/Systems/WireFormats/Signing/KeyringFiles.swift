// A keyring from files, as Celery's settings name them.
import CeleryWire
import Glibc

extension Keyring {
    /// Far above any certificate or key.
    private static let maxBytes = 1 << 20

    /// - Parameters:
    ///   - store: `security_cert_store`: a folder, or a pattern such as "/etc/celery/*.pem". All files in it must be
    ///     certificates.
    ///   - key, certificate: files of our own, both or none; without them nothing can be signed.
    ///   - now: seconds since 1970.
    /// - Throws: a file that cannot be read or is no certificate, or one that is past its time.
    public convenience init(
        store: String, key: String? = nil, keyPassword: String? = nil, certificate: String? = nil,
        digest: String = "sha256", now: Int64
    ) throws(KeyringError) {
        var certificates: [(name: String, pem: [UInt8])] = []
        for path in try Self.files(of: store) { certificates.append((path, try Self.bytes(of: path))) }
        try self.init(
            certificates: certificates, key: key.map { path throws(KeyringError) in try Self.bytes(of: path) },
            keyPassword: keyPassword,
            certificate: certificate.map { path throws(KeyringError) in try Self.bytes(of: path) }, digest: digest,
            now: now)
    }

    private static func files(of store: String) throws(KeyringError) -> [String] {
        var status = stat()
        let isFolder = stat(store, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
        var found = glob_t()
        defer { globfree(&found) }
        let pattern = isFolder ? store + "/*" : store
        guard glob(pattern, 0, nil, &found) == 0, let paths = found.gl_pathv else {
            throw KeyringError("security_cert_store: there is no file \(pattern)")
        }
        return (0..<Int(found.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }

    private static func bytes(of path: String) throws(KeyringError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw KeyringError("\(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count <= maxBytes {
            let count = read(file, &piece, piece.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw KeyringError("\(path): \(String(cString: strerror(errno)))") }
            bytes.append(contentsOf: piece[..<count])
        }
        throw KeyringError("\(path): larger than \(maxBytes) bytes; no certificate is")
    }
}
