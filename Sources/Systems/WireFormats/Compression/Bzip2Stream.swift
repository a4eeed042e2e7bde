// bzip2 streams.
private import CBzip2

final class Bzip2Stream: DecompressionStream {
    /// bzip2 remembers the address.
    private let stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        stream.initialize(to: bz_stream())
        isReady = BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK
    }

    deinit {
        if isReady { BZ2_bzDecompressEnd(stream) }
        stream.deallocate()
    }

    func step(_ place: inout StreamPlace) -> StreamStep {
        guard isReady else { return .noMemory }
        let input = UInt32(clamping: place.inputLeft)
        let output = UInt32(clamping: place.outputLeft)
        stream.pointee.next_in = UnsafeMutableRawPointer(mutating: place.input).assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_in = input
        stream.pointee.next_out = UnsafeMutableRawPointer(place.output).assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = output
        let status = BZ2_bzDecompress(stream)
        place.input += Int(input - stream.pointee.avail_in)
        place.inputLeft -= Int(input - stream.pointee.avail_in)
        place.outputLeft -= Int(output - stream.pointee.avail_out)
        switch status {
        case BZ_STREAM_END: return .finished
        case BZ_OK: return .more
        case BZ_MEM_ERROR: return .noMemory
        default: return .damaged
        }
    }

    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        // The room bzip2 asks for: 1 % more, and 600 bytes.
        filled(room: bytes.count + bytes.count / 100 + 600) { room in
            var length = UInt32(clamping: room.count)
            let status = bytes.withUnsafeBytes { source in
                BZ2_bzBuffToBuffCompress(
                    UnsafeMutableRawPointer(room.baseAddress)?.assumingMemoryBound(to: CChar.self), &length,
                    UnsafeMutableRawPointer(mutating: source.baseAddress)?.assumingMemoryBound(to: CChar.self),
                    UInt32(clamping: source.count), 9, 0, 0)
            }
            return status == BZ_OK ? Int(length) : nil
        }
    }
}
