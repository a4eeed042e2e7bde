// The second half: train, evaluate, choose, deploy or not. La segunda mitad: entrenar, evaluar, elegir y desplegar, o no.
import Glibc
import TaskhostSDK

struct Train: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(600), doc: "Trains one model.")

    @Arg var folder: String
    @Arg var model: String
    /// Seconds to rest after each round, to have something to look at. Para que haya algo que mirar.
    @Arg var pace = 0.0

    struct Trained: Codable {
        var folder, model: String
    }

    func run(_ task: TaskContext) async throws -> Trained {
        let measure = Measure("train \(model)")
        guard let kind = Model.Kind(rawValue: model) else { throw TaskError(type: "ValueError", "no model \(model)") }
        let samples = try Samples.read("\(folder)/train.csv")
        var learning = Model(kind)
        for round in 0..<Model.rounds {
            try task.checkStop()
            learning.improve(samples, round: round)
            task.progress(round + 1, Model.rounds)
            if pace > 0 { try await Task.sleep(for: .seconds(pace)) }
        }
        let numbers = JSON.array(learning.numbers.map { .double($0) })
        try Files.write(numbers.bytes, to: "\(folder)/\(model).model")
        try measure.note(in: folder, ["numbers": .int(Int64(learning.numbers.count))])
        return Trained(folder: folder, model: model)
    }
}

struct Evaluate: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "Tests one model.")

    @Arg var trained: Train.Trained

    struct Score: Codable {
        var folder, model: String
        /// Part of the samples it has not seen that it tells right. Aciertos con muestras que no ha visto.
        var accuracy: Double
    }

    func run(_ task: TaskContext) throws -> Score {
        let measure = Measure("evaluate \(trained.model)")
        guard let kind = Model.Kind(rawValue: trained.model),
            let kept = try JSON(parsing: try Files.read("\(trained.folder)/\(trained.model).model")).elements
        else { throw TaskError(type: "ValueError", "no model \(trained.model)") }
        let accuracy = Model(kind, numbers: kept.compactMap(\.number))
            .accuracy(try Samples.read("\(trained.folder)/test.csv"))
        try measure.note(in: trained.folder, ["accuracy": .double(accuracy)])
        return Score(folder: trained.folder, model: trained.model, accuracy: accuracy)
    }
}

/// Where the workflow branches: the best model is deployed if it is good enough, else held. What comes takes this task's place,
/// and gives its result. / Aquí el flujo se bifurca: el mejor modelo se despliega si alcanza; si no, se retiene.
struct Choose: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "Deploys the best model, if it is good enough.")

    @Arg var scores: [Evaluate.Score]
    @Arg var threshold: Double

    func run(_ task: TaskContext) throws -> Never {
        guard let best = scores.max(by: { $0.accuracy < $1.accuracy }) else {
            throw TaskError(type: "ValueError", "no models")
        }
        try Measure("choose").note(in: best.folder, ["model": .string(best.model)])
        let next = best.accuracy >= threshold ? "workflow.deploy" : "workflow.hold"
        throw Replace(with: Signature(next, try JSON(encoding: best)))
    }
}

/// Into production: a link that changes from one model to the next at once. Un enlace que cambia de una vez.
struct Deploy: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "Puts a model into production.")

    @Arg var best: Evaluate.Score

    struct Outcome: Codable {
        var outcome, model: String
        var accuracy: Double
    }

    func run(_ task: TaskContext) throws -> Outcome {
        let link = "\(best.folder)/../production"
        let new = "\(link).\(task.id)"
        unlink(new)
        guard symlink("\(best.folder)/\(best.model).model", new) == 0 else {
            throw TaskError(type: "OSError", "\(new): \(String(cString: strerror(errno)))")
        }
        try Files.move(new, to: link)
        try Measure("deploy").note(in: best.folder, ["model": .string(best.model)])
        return Outcome(outcome: "deployed", model: best.model, accuracy: best.accuracy)
    }
}

struct Hold: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "Notes that no model was good enough.")

    @Arg var best: Evaluate.Score

    func run(_ task: TaskContext) throws -> Deploy.Outcome {
        task.log(.warning, "\(best.model) is the best, with \(best.accuracy): not good enough")
        try Measure("hold").note(in: best.folder, ["model": .string(best.model)])
        return Deploy.Outcome(outcome: "held", model: best.model, accuracy: best.accuracy)
    }
}

/// The workflow's errback: notes which task it failed with. El aviso de error de todo el flujo.
struct Failed: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "Notes what the workflow failed with.")

    @Arg var id: String
    @Arg var folder: String

    func run(_ task: TaskContext) throws {
        try Measure("failed").note(in: folder, ["task": .string(id)])
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("workflow", version: "1.0.0") {
        Begin.self
        Prepare.self
        Combine.self
        Train.self
        Evaluate.self
        Choose.self
        Deploy.self
        Hold.self
        Failed.self
    }.register(with: host)
}
