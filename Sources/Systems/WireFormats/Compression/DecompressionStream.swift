// Decompression piece by piece, so that a bomb is noticed after the first piece too many.

/// Where a decompressor stands in its input, and where it may write.
struct StreamPlace {
    var input: UnsafePointer<UInt8>
    var inputLeft: Int
    var output: UnsafeMutablePointer<UInt8>
    var outputLeft: Int
}

enum StreamStep { case more, finished, damaged, noMemory }

enum DecompressionFailure: Error { case damaged, cutShort, trailing, tooLarge, noMemory }

/// One library's decompressor, at the beginning of a stream.
protocol DecompressionStream: AnyObject {
    /// Takes from the input and writes to the output as much as it can, and moves the place accordingly.
    func step(_ place: inout StreamPlace) -> StreamStep
}

extension DecompressionStream {
    func pump(_ bytes: [UInt8], limit: Int) throws(DecompressionFailure) -> [UInt8] {
        let outcome = bytes.withUnsafeBufferPointer { input -> Result<[UInt8], DecompressionFailure> in
            guard let start = input.baseAddress, input.count > 0 else { return .failure(.cutShort) }
            let piece = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: min(64 << 10, limit + 1))
            defer { piece.deallocate() }
            guard let pieceStart = piece.baseAddress else { return .failure(.noMemory) }
            var result: [UInt8] = []
            var place = StreamPlace(
                input: start, inputLeft: input.count, output: pieceStart, outputLeft: piece.count)
            while true {
                let left = place.inputLeft
                place.output = pieceStart
                place.outputLeft = piece.count
                let step = step(&place)
                let produced = piece.count - place.outputLeft
                guard result.count + produced <= limit else { return .failure(.tooLarge) }
                result.append(contentsOf: UnsafeBufferPointer(start: pieceStart, count: produced))
                switch step {
                case .finished: return place.inputLeft == 0 ? .success(result) : .failure(.trailing)
                case .damaged: return .failure(.damaged)
                case .noMemory: return .failure(.noMemory)
                case .more:
                    // Nothing taken, nothing given: it waits for input there is not.
                    if produced == 0, place.inputLeft == left { return .failure(.cutShort) }
                }
            }
        }
        return try outcome.get()
    }
}

/// What a compressor that needs to know the room beforehand has written; nil: it failed.
func filled(room: Int, by write: (UnsafeMutableBufferPointer<UInt8>) -> Int?) -> [UInt8]? {
    var isWritten = true
    let bytes = [UInt8](unsafeUninitializedCapacity: max(1, room)) { buffer, count in
        if let written = write(buffer) {
            count = written
        } else {
            isWritten = false
        }
    }
    return isWritten ? bytes : nil
}
