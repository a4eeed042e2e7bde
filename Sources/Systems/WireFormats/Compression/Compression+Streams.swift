// Which library does which compression.
import CeleryWire

extension Compression {
    /// - Parameters:
    ///   - limit: bytes of the result at most, > 0; work stops there, whatever the stream promises.
    /// - Throws: `.compressed` for a stream that is damaged or cut short, `.tooLarge` beyond the limit.
    func decompress(_ bytes: [UInt8], limit: Int) throws(WireError) -> [UInt8] {
        let stream: any DecompressionStream =
            switch self {
            case .zlib: ZlibStream()
            case .bzip2: Bzip2Stream()
            case .xz: XzStream()
            case .brotli: BrotliStream()
            case .zstd: ZstdStream()
            }
        do throws(DecompressionFailure) {
            return try stream.pump(bytes, limit: limit)
        } catch {
            switch error {
            case .tooLarge:
                throw WireError(.tooLarge, "the body is larger than \(limit) bytes when decompressed (\(rawValue))")
            case .damaged: throw WireError(.compressed, "the body is no sound \(rawValue) stream")
            case .cutShort: throw WireError(.compressed, "the \(rawValue) stream of the body ends too early")
            case .trailing: throw WireError(.compressed, "bytes follow the \(rawValue) stream of the body")
            case .noMemory: throw WireError(.tooLarge, "the \(rawValue) stream of the body wants too much memory")
            }
        }
    }

    /// - Throws: `.compressed` when the library fails (no memory).
    func compress(_ bytes: [UInt8]) throws(WireError) -> [UInt8] {
        let compressed =
            switch self {
            case .zlib: ZlibStream.compress(bytes)
            case .bzip2: Bzip2Stream.compress(bytes)
            case .xz: XzStream.compress(bytes)
            case .brotli: BrotliStream.compress(bytes)
            case .zstd: ZstdStream.compress(bytes)
            }
        guard let compressed else {
            throw WireError(.compressed, "\(bytes.count) bytes could not be compressed by \(rawValue)")
        }
        return compressed
    }
}
