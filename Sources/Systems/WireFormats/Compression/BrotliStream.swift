// Brotli streams.
private import CBrotli

final class BrotliStream: DecompressionStream {
    private let decoder = BrotliDecoderCreateInstance(nil, nil, nil)

    deinit { BrotliDecoderDestroyInstance(decoder) }

    func step(_ place: inout StreamPlace) -> StreamStep {
        guard let decoder else { return .noMemory }
        var input: UnsafePointer<UInt8>? = place.input
        var output: UnsafeMutablePointer<UInt8>? = place.output
        let status = BrotliDecoderDecompressStream(
            decoder, &place.inputLeft, &input, &place.outputLeft, &output, nil)
        place.input = input ?? place.input
        switch status {
        case BROTLI_DECODER_RESULT_SUCCESS: return .finished
        case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT, BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: return .more
        default: return .damaged
        }
    }

    static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        filled(room: BrotliEncoderMaxCompressedSize(bytes.count)) { room in
            var length = room.count
            // A middle quality: the highest takes a hundred times as long for a few per cent.
            let isDone = BrotliEncoderCompress(
                5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_TEXT, bytes.count, bytes, &length, room.baseAddress)
            return isDone != 0 ? length : nil
        }
    }
}
