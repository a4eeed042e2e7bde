// A WAV file with 16 bits and one channel, as the example makes them. Un archivo WAV.
import TaskhostSDK

struct Sound {
    /// Samples in a second. Muestras por segundo.
    var rate: Int
    var samples: [Int16]

    private static let headerBytes = 44

    init(rate: Int, samples: [Int16]) {
        self.rate = rate
        self.samples = samples
    }

    init(wav bytes: [UInt8]) throws {
        guard bytes.count >= Self.headerBytes, bytes[..<4].elementsEqual("RIFF".utf8), bytes[22] == 1, bytes[34] == 16
        else { throw TaskError(type: "ValueError", "no WAV file with 16 bits and one channel") }
        rate = (0..<4).reduce(0) { $0 | Int(bytes[24 + $1]) << (8 * $1) }
        samples = stride(from: Self.headerBytes, to: bytes.count - 1, by: 2).map {
            Int16(bitPattern: UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8)
        }
    }

    var wav: [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 255) } }
        let bytes = samples.count * 2
        let format = little(16, 4) + little(1, 2) + little(1, 2) + little(rate, 4) + little(rate * 2, 4) + little(2, 2)
        let header = Array("RIFF".utf8) + little(36 + bytes, 4) + Array("WAVEfmt ".utf8) + format + little(16, 2)
        return header + Array("data".utf8) + little(bytes, 4)
            + samples.flatMap { little(Int(UInt16(bitPattern: $0)), 2) }
    }
}
