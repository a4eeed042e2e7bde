// How bodies and results may be compressed (celery-protocol.md §1.7). The work is done in WireFormats.

/// A compression method Celery knows.
public enum Compression: String, Sendable, Equatable, CaseIterable {
    case zlib, bzip2, xz, brotli, zstd

    /// By the name a setting uses or the MIME type a header uses; case does not matter.
    public static func named(_ text: String) -> Compression? {
        switch text.lowercased() {
        case "zlib", "gzip", "application/x-gzip": .zlib
        case "bzip2", "bzip", "application/x-bz2": .bzip2
        case "lzma", "xz", "application/x-lzma": .xz
        case "brotli", "application/x-brotli": .brotli
        case "zstd", "zstandard", "application/zstd": .zstd
        default: nil
        }
    }

    /// As the header `compression` names it.
    public var mimeType: String {
        switch self {
        // Called gzip, but a zlib stream (RFC 1950).
        case .zlib: "application/x-gzip"
        case .bzip2: "application/x-bz2"
        case .xz: "application/x-lzma"
        case .brotli: "application/x-brotli"
        case .zstd: "application/zstd"
        }
    }
}
