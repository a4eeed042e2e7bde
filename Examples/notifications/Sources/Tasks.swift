// Who is told by which channels, and the report of it. A quién se avisa por qué canales, y el informe.
import Glibc
import TaskhostSDK

/// All people side by side, each by the channels of their choice; then the summary, which is the result of this task.
/// Todas las personas en paralelo; el resumen del final es el resultado de esta tarea.
struct Broadcast: TaskHandler {
    static let options = TaskOptions(doc: "Tells people by the channels they prefer, and sums up who was reached.")

    @Arg var people: [Person]
    @Arg var notice: Notice

    func run(_ task: TaskContext) throws -> Never {
        let each = try people.map { person in
            Signature("notify.person", try JSON(encoding: person), try JSON(encoding: notice))
        }
        throw Replace(with: .chord(each, body: Signature("notify.summary")))
    }
}

/// One person: a group of ways, each a channel or several to fall back upon, and what registers them. / Una persona: un grupo
/// de caminos, y lo que los registra.
struct TellPerson: TaskHandler {
    static let options = TaskOptions(name: "notify.person", doc: "Tells one person.")

    @Arg var person: Person
    @Arg var notice: Notice

    func run(_ task: TaskContext) throws -> Never {
        let ways = person.everywhere ? person.channels.map { [$0] } : [person.channels]
        let routes = try ways.filter { !$0.isEmpty }
            .map { try Route(person: person, notice: notice, channels: $0).signature }
        let name = JSON.string(person.name)
        throw Replace(
            with: routes.isEmpty
                ? Signature("notify.register", [], name) : .chord(routes, body: Signature("notify.register", name)))
    }
}

/// What became of one person's ways, noted in the file NOTICES. Anota lo que pasó con una persona.
struct Register: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(10), doc: "Notes by which channels a person was reached.")

    @Arg var deliveries: [Delivery]
    @Arg var name: String

    func run(_ task: TaskContext) throws -> Outcome {
        let outcome = Outcome(
            name: name, reached: deliveries.compactMap(\.channel), tried: deliveries.flatMap(\.tried))
        let line = try JSON(encoding: outcome).bytes + [UInt8(ascii: "\n")]
        let path = getenv("NOTICES").map { String(cString: $0) } ?? "notices.jsonl"
        // One write at the end of the file: lines of several processes do not mix. Las líneas no se mezclan.
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(file) }
        guard line.withUnsafeBytes({ write(file, $0.baseAddress, $0.count) }) == line.count else {
            throw TaskError(type: "OSError", "\(path) cannot be written")
        }
        return outcome
    }
}

struct Summary: TaskHandler {
    static let options = TaskOptions(hardLimit: .seconds(60), doc: "Who was reached, and by what.")

    @Arg var outcomes: [Outcome]

    struct Figures: Codable {
        var people: Int
        /// By channel. Por canal.
        var delivered: [String: Int]
        /// Those who got it by another channel than they like best. Quienes lo recibieron por otro canal.
        var fallback: Int
        var unreached: [String]
    }

    func run(_ task: TaskContext) -> Figures {
        let delivered = outcomes.flatMap(\.reached).reduce(into: [:]) { $0[$1.rawValue, default: 0] += 1 }
        return Figures(
            people: outcomes.count, delivered: delivered,
            fallback: outcomes.count { !$0.reached.isEmpty && !$0.tried.isEmpty },
            unreached: outcomes.filter(\.reached.isEmpty).map(\.name))
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("notify", version: "1.0.0") {
        Broadcast.self
        TellPerson.self
        MailNotice.self
        SMS.self
        Push.self
        Register.self
        Summary.self
    }.register(with: host)
}
