// The stages of a pipeline: each leaves a file, and one that finds its own does nothing again. So a pipeline that failed is
// simply sent once more. / Las etapas: cada una deja un archivo; la que lo encuentra no repite el trabajo.
import TaskhostSDK

/// What the stages have in common; each gets the folder from the one before and hands it on. Lo común a las etapas.
protocol Stage: TaskHandler where Output == String {
    var folder: String { get }
    static var number: Int { get }
    static var file: String { get }

    func make(_ progress: Progress) async throws -> [UInt8]
}

extension Stage {
    func run(_ task: TaskContext) async throws -> String {
        let path = "\(folder)/\(Self.file)"
        if Files.exists(path) {
            task.log("\(Self.file) is there already")
            return folder
        }
        try Files.write(try await make(Progress(task: task, stage: Self.number)), to: path)
        return folder
    }
}

/// Tells callers the stage, how much of it is done, and how long the rest of it may take. Etapa, avance y tiempo restante.
struct Progress {
    static let stages = 4

    struct Told: Codable {
        var stage, stages, done, total: Int
        /// Of this stage, going by what is done. De esta etapa.
        var secondsLeft: Double

        enum CodingKeys: String, CodingKey {
            case stage, stages, done, total
            case secondsLeft = "seconds_left"
        }
    }

    let task: TaskContext
    let stage: Int
    let begun = ContinuousClock.now

    /// Also where a stage can be stopped. También donde se puede detener.
    func tell(_ done: Int, _ total: Int) throws {
        try task.checkStop()
        let taken = (ContinuousClock.now - begun) / .seconds(1)
        let left = done == 0 ? 0 : taken / Double(done) * Double(total - done)
        try task.state(
            "PROGRESS", Told(stage: stage, stages: Self.stages, done: done, total: total, secondsLeft: left))
    }
}

/// How loud each tenth of a second is. El volumen de cada décima de segundo.
struct Extract: Stage {
    static let number = 1
    static let file = "levels.txt"
    static let options = TaskOptions(hardLimit: .seconds(600), doc: "input.wav -> levels.txt")

    @Arg var folder: String
    /// Seconds to rest after each tenth, to have something to look at. Para que haya algo que mirar.
    @Arg var pace = 0.0

    func make(_ progress: Progress) async throws -> [UInt8] {
        let sound = try Sound(wav: try Files.read("\(folder)/input.wav"))
        let length = max(1, sound.rate / 10)
        let total = (sound.samples.count + length - 1) / length
        var lines = ""
        for part in 0..<total {
            let samples = sound.samples[part * length..<min((part + 1) * length, sound.samples.count)]
            lines += "\(samples.map { Int($0.magnitude) }.max() ?? 0)\n"
            try progress.tell(part + 1, total)
            if pace > 0 { try await Task.sleep(for: .seconds(pace)) }
        }
        return Array(lines.utf8)
    }
}

/// When somebody speaks. It needs a model, the level from which on it is speech, and fails without. / Cuándo habla alguien.
struct Transcribe: Stage {
    static let number = 2
    static let file = "speech.txt"
    static let options = TaskOptions(hardLimit: .seconds(600), doc: "levels.txt, model.txt -> speech.txt")

    @Arg var folder: String

    func make(_ progress: Progress) async throws -> [UInt8] {
        guard let level = Int(try Files.lines("\(folder)/model.txt").first ?? "") else {
            throw TaskError(type: "ValueError", "model.txt holds no number")
        }
        let speaks = try Files.lines("\(folder)/levels.txt").map { (Int($0) ?? 0) >= level }
        var lines = ""
        var start: Int?
        for (tenth, speaking) in (speaks + [false]).enumerated() {
            if speaking, start == nil { start = tenth }
            if !speaking, let from = start {
                lines += "\(from) \(tenth)\n"
                start = nil
            }
        }
        try progress.tell(speaks.count, speaks.count)
        return Array(lines.utf8)
    }
}

struct Subtitle: Stage {
    static let number = 3
    static let file = "subtitles.srt"
    static let options = TaskOptions(hardLimit: .seconds(600), doc: "speech.txt -> subtitles.srt")

    @Arg var folder: String

    func make(_ progress: Progress) async throws -> [UInt8] {
        let spans = try Files.lines("\(folder)/speech.txt").map { $0.split(separator: " ").compactMap { Int($0) } }
        let entries = spans.enumerated().map { number, span in
            "\(number + 1)\n\(Self.time(span[0])) --> \(Self.time(span[1]))\n[speech]\n"
        }
        try progress.tell(spans.count, spans.count)
        return Array(entries.joined(separator: "\n").utf8)
    }

    /// 00:00:01,500
    private static func time(_ tenths: Int) -> String {
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let seconds = tenths / 10
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60)),\(tenths % 10)00"
    }
}

/// Half of the samples. La mitad de las muestras.
struct Compress: Stage {
    static let number = 4
    static let file = "small.wav"
    static let options = TaskOptions(hardLimit: .seconds(600), doc: "input.wav -> small.wav")

    @Arg var folder: String

    func make(_ progress: Progress) async throws -> [UInt8] {
        let sound = try Sound(wav: try Files.read("\(folder)/input.wav"))
        let half = stride(from: 0, to: sound.samples.count, by: 2).map { sound.samples[$0] }
        try progress.tell(half.count, half.count)
        return Sound(rate: sound.rate / 2, samples: half).wav
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    TaskBundle("subtitles", version: "1.0.0") {
        Extract.self
        Transcribe.self
        Subtitle.self
        Compress.self
    }.register(with: host)
}
