// Tasks with limits, for an API that has some of its own. Tareas con límites, para una API que tiene los suyos.
import TaskhostSDK

/// Asks the API: ten times a minute, over all workers together. / Pregunta a la API: diez veces por minuto entre todos
/// los workers.
struct CallApi: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(25), hardLimit: .seconds(30), retry: .atMost(10), doc: "Asks the API.", queue: "api",
        rateLimit: "10/m", limitScope: .global)

    @Arg var path: String

    struct Answer: Codable {
        var path: String
        var attempts: Int
    }

    func run(_ task: TaskContext) throws -> Answer {
        let reply = try API.get(path)
        if reply.status == 429 {
            // The API knows best how long it wants to be left alone. La API sabe cuánto hay que esperar.
            let wait = reply.fields["retry-after"].flatMap { Int($0) } ?? 1
            throw Retry(after: .seconds(wait), reason: "too many calls for the API")
        }
        try API.expect(200, reply, path)
        return Answer(path: path, attempts: task.retries + 1)
    }
}

/// Charges a user: of each one payment at a time, and a hundred an hour. `limitKey` counts by the argument `user`. /
/// Cobra a un usuario: de cada uno, un pago a la vez y cien por hora.
struct Pay: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(25), hardLimit: .seconds(30), retry: .atMost(5), doc: "Charges a user.", queue: "api",
        rateLimit: "100/h", maxConcurrent: 1, limitScope: .global, limitKey: "user")

    @Arg var user: String
    @Arg var amount: Int

    /// The task's id makes it safe to ask twice: the API charges an id once. El id evita cobrar dos veces.
    struct Order: Encodable {
        var id, user: String
        var amount: Int
    }

    func run(_ task: TaskContext) throws -> Int {
        let order = try JSON(encoding: Order(id: task.id, user: user, amount: amount)).bytes
        let reply = try API.post(order, to: "/payments")
        try API.expect(200, reply, "/payments")
        return amount
    }
}

/// Without limits of its own: as many at a time as the worker of its queue has slots. / Sin límites propios: tantas a la vez
/// como ranuras tenga el worker de su cola.
struct Fetch: TaskHandler {
    static let options = TaskOptions(softLimit: .seconds(25), hardLimit: .seconds(30), doc: "Asks the API, unlimited.")

    @Arg var path: String

    /// The queue it came from. La cola de la que salió.
    func run(_ task: TaskContext) throws -> String {
        let reply = try API.get(path)
        try API.expect(200, reply, path)
        return task.queue
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("rates", version: "1.0.0") {
        CallApi.self
        Pay.self
        Fetch.self
    }.register(with: host)
}
