// .xz containers, which Celery calls lzma.
private import CLzma

final class XzStream: DecompressionStream {
    /// Bytes the decoder may use: enough for the dictionary of `xz -9` (64 MiB).
    private static let memory: UInt64 = 80 << 20

    private let stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    private let isReady: Bool

    init() {
        stream.initialize(to: lzma_stream())
        isReady = lzma_stream_decoder(stream, Self.memory, 0) == LZMA_OK
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func step(_ place: inout StreamPlace) -> StreamStep {
        guard isReady else { return .noMemory }
        stream.pointee.next_in = place.input
        stream.pointee.avail_in = place.inputLeft
        stream.pointee.next_out = place.output
        stream.pointee.avail_out = place.outputLeft
        let status = lzma_code(stream, LZMA_RUN)
        place.input += place.inputLeft - stream.pointee.avail_in
        place.inputLeft = stream.pointee.avail_in
        place.outputLeft = stream.pointee.avail_out
        switch status {
        case LZMA_STREAM_END: return .finished
        case LZMA_OK, LZMA_BUF_ERROR: return .more
        case LZMA_MEM_ERROR, LZMA_MEMLIMIT_ERROR: return .noMemory
        default: return .damaged
        }
    }

    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        filled(room: lzma_stream_buffer_bound(bytes.count)) { room in
            var length = 0
            let status = lzma_easy_buffer_encode(
                6, LZMA_CHECK_CRC64, nil, bytes, bytes.count, room.baseAddress, &length, room.count)
            return status == LZMA_OK ? length : nil
        }
    }
}
