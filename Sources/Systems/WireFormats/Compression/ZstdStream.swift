// Zstandard frames.
private import CZstd

final class ZstdStream: DecompressionStream {
    /// A window of 64 MiB at most: no body may be larger decompressed.
    private static let windowLog: CInt = 26

    private let stream = ZSTD_createDStream()
    private let isReady: Bool

    init() {
        isReady =
            stream != nil && ZSTD_isError(ZSTD_initDStream(stream)) == 0
            && ZSTD_isError(ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, Self.windowLog)) == 0
    }

    deinit { ZSTD_freeDStream(stream) }

    func step(_ place: inout StreamPlace) -> StreamStep {
        guard isReady else { return .noMemory }
        var input = ZSTD_inBuffer(src: place.input, size: place.inputLeft, pos: 0)
        var output = ZSTD_outBuffer(dst: place.output, size: place.outputLeft, pos: 0)
        let status = ZSTD_decompressStream(stream, &output, &input)
        place.input += input.pos
        place.inputLeft -= input.pos
        place.outputLeft -= output.pos
        if ZSTD_isError(status) != 0 { return .damaged }
        return status == 0 ? .finished : .more
    }

    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        filled(room: ZSTD_compressBound(bytes.count)) { room in
            let length = ZSTD_compress(room.baseAddress, room.count, bytes, bytes.count, ZSTD_CLEVEL_DEFAULT)
            return ZSTD_isError(length) == 0 ? length : nil
        }
    }
}
