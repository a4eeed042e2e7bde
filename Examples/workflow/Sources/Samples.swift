// What is learnt from: points with a label, one "x,y,label" a line. De lo que se aprende: puntos con una etiqueta.
import TaskhostSDK

struct Sample {
    var x: Double
    var y: Double
    /// 1 or -1.
    var label: Double

    /// nil: no such line.
    init?(_ line: some StringProtocol) {
        let parts = line.split(separator: ",").compactMap { Double($0) }
        guard parts.count == 3, parts[2] == 0 || parts[2] == 1 else { return nil }
        (x, y, label) = (parts[0], parts[1], parts[2] == 1 ? 1 : -1)
    }

    var line: String { "\(x),\(y),\(label > 0 ? 1 : 0)\n" }
}

enum Samples {
    static func read(_ path: String) throws -> [Sample] {
        let lines = try Files.lines(path)
        let samples = lines.compactMap { Sample($0) }
        guard samples.count == lines.count, !samples.isEmpty else {
            throw TaskError(type: "ValueError", "\(path): every line must be x,y,label with a label of 0 or 1")
        }
        return samples
    }

    static func write(_ samples: some Sequence<Sample>, to path: String) throws {
        try Files.write(Array(samples.map(\.line).joined().utf8), to: path)
    }
}

/// The same numbers every time, so that a stage that runs twice comes to the same. Siempre los mismos números.
struct Dice: RandomNumberGenerator {
    var state: UInt64 = 42

    mutating func next() -> UInt64 {  // splitmix64
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
