// zlib streams, which Celery calls gzip.
private import CZlib

final class ZlibStream: DecompressionStream {
    /// zlib remembers the address.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        stream.initialize(to: z_stream())
        // The largest window, and +32: a gzip header instead of a zlib one is taken as well.
        isReady = inflateInit2_(stream, 15 + 32, ZLIB_VERSION, CInt(MemoryLayout<z_stream>.size)) == Z_OK
    }

    deinit {
        if isReady { inflateEnd(stream) }
        stream.deallocate()
    }

    func step(_ place: inout StreamPlace) -> StreamStep {
        guard isReady else { return .noMemory }
        let input = UInt32(clamping: place.inputLeft)
        let output = UInt32(clamping: place.outputLeft)
        stream.pointee.next_in = UnsafeMutablePointer(mutating: place.input)
        stream.pointee.avail_in = input
        stream.pointee.next_out = place.output
        stream.pointee.avail_out = output
        let status = inflate(stream, Z_NO_FLUSH)
        place.input += Int(input - stream.pointee.avail_in)
        place.inputLeft -= Int(input - stream.pointee.avail_in)
        place.outputLeft -= Int(output - stream.pointee.avail_out)
        switch status {
        case Z_STREAM_END: return .finished
        case Z_OK, Z_BUF_ERROR: return .more
        case Z_MEM_ERROR: return .noMemory
        default: return .damaged
        }
    }

    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        filled(room: Int(compressBound(UInt(bytes.count)))) { room in
            var length = UInt(room.count)
            let status = CZlib.compress(room.baseAddress, &length, bytes, UInt(bytes.count))
            return status == Z_OK ? Int(length) : nil
        }
    }
}
