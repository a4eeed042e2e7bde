// The first half of the workflow: a folder for it, the sources, one set of samples. La primera mitad: los datos.
import TaskhostSDK

/// The first task, whose id all others have as root: by it the whole workflow is cancelled. / La primera tarea: con su id se
/// cancela todo el flujo.
struct Begin: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "Makes the workflow's folder.")

    @Arg var folder: String

    func run(_ task: TaskContext) throws -> String {
        try Files.makeFolder(folder)
        return folder
    }
}

/// One source: a file, or an address on the web, which may be away for a while. Una fuente: un archivo o una dirección web.
struct Prepare: TaskHandler {
    static let options = TaskOptions(
        hardLimit: .seconds(600),
        retry: .backoff(maxRetries: 5, first: .milliseconds(200)).only(for: ["ConnectionError"]),
        doc: "Fetches and checks one source.")

    @Arg var folder: String
    @Arg var source: String
    @Arg var place: String
    /// Seconds to rest, to have something to look at. Para que haya algo que mirar.
    @Arg var pace = 0.0

    struct Part: Codable {
        var folder, path: String
        var samples: Int
    }

    func run(_ task: TaskContext) async throws -> Part {
        let measure = Measure("prepare \(source)")
        let path = "\(folder)/\(source).csv"
        try Files.write(place.hasPrefix("http://") ? try fetch() : try Files.read(place), to: path)
        let count = try Samples.read(path).count
        if pace > 0 { try await Task.sleep(for: .seconds(pace)) }
        try measure.note(in: folder, ["samples": .int(Int64(count))])
        return Part(folder: folder, path: path, samples: count)
    }

    private func fetch() throws -> [UInt8] {
        guard let address = WebAddress(place) else {
            throw TaskError(type: "ValueError", "\(place) is no http address")
        }
        let reply: HTTPReply
        do throws(ConnectionLost) { reply = try HTTPReply.get(address) } catch {
            throw TaskError(type: "ConnectionError", error.reason)
        }
        switch reply.status {
        case 200: return reply.body
        case 500...: throw TaskError(type: "ConnectionError", "\(place): status \(reply.status)")
        default: throw TaskError(type: "FileNotFoundError", "\(place): status \(reply.status)")
        }
    }
}

/// All sources, mixed: four fifths to learn from, the rest to be tested by. Cuatro quintos para aprender, el resto para probar.
struct Combine: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "One set of samples out of all sources.")

    @Arg var parts: [Prepare.Part]

    func run(_ task: TaskContext) throws -> String {
        guard let folder = parts.first?.folder else { throw TaskError(type: "ValueError", "no sources") }
        let measure = Measure("combine")
        var dice = Dice()
        let samples = try parts.flatMap { try Samples.read($0.path) }.shuffled(using: &dice)
        let learnt = samples.count * 4 / 5
        try Samples.write(samples[..<learnt], to: "\(folder)/train.csv")
        try Samples.write(samples[learnt...], to: "\(folder)/test.csv")
        try measure.note(in: folder, ["samples": .int(Int64(samples.count))])
        return folder
    }
}

/// What a step took and came to: a line in metrics.jsonl, and in the log. Lo que tardó un paso y qué resultó.
struct Measure {
    private let step: String
    private let begun = ContinuousClock.now

    init(_ step: String) { self.step = step }

    func note(in folder: String, _ figures: [String: JSON]) throws {
        var line = JSON.object([]).setting("step", to: .string(step))
            .setting("seconds", to: .double((ContinuousClock.now - begun) / .seconds(1)))
        for (name, figure) in figures.sorted(by: { $0.key < $1.key }) { line = line.setting(name, to: figure) }
        try Files.append(line.bytes + [UInt8(ascii: "\n")], to: "\(folder)/metrics.jsonl")
    }
}
