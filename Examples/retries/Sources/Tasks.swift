// The tasks: what is tried again, what is not, and what becomes of it then. Qué se reintenta, qué no, y qué pasa entonces.
import TaskhostSDK

/// Retried by itself, if the failure is one that may pass: 0.2 s, 0.4 s … and of that a random part, so that many
/// failures at once do not come back at once. / Se reintenta sola, si el fallo puede pasar.
struct Download: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(25), hardLimit: .seconds(30),
        retry: .backoff(maxRetries: 5, first: .milliseconds(200), longest: .seconds(600))
            .only(for: ["ServiceBusy", "ConnectionLost"]),
        doc: "Fetches a page, with patience.")

    @Arg var url: String

    struct Downloaded: Codable {
        var url: String
        var size: Int
        var attempts: Int
    }

    func run(_ task: TaskContext) throws -> Downloaded {
        Downloaded(url: url, size: try Service.fetch(url).count, attempts: task.retries + 1)
    }
}

/// Plan A is the service, behind a circuit breaker; plan B, after `patience` attempts, the last price that was seen.
/// Plan A: el servicio, detrás de un cortacircuitos; plan B, tras `patience` intentos: el último precio que se vio.
struct Price: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(25), hardLimit: .seconds(30), retry: .unlimited(), doc: "A price, from here or there.")

    @Arg var url: String
    @Arg var folder: String
    @Arg var patience = 10

    struct Answer: Codable {
        var price: String
        /// "service" or "fallback".
        var method: String
    }

    func run(_ task: TaskContext) throws -> Answer {
        let breaker = CircuitBreaker(path: "\(folder)/breaker")
        let last = "\(folder)/last-price"
        if let seconds = try breaker.wait() { return try later(seconds, "the circuit is open", task, last) }
        do {
            let price = try Service.fetch(url)
            try breaker.succeeded()
            try Files.write(price, to: last, aside: task.id)
            return Answer(price: String(decoding: price, as: UTF8.self), method: "service")
        } catch let error as ServiceBusy {
            try breaker.failed()
            return try later(0.1, error.errorMessage, task, last)
        } catch let error as ConnectionLost {
            try breaker.failed()
            return try later(0.1, error.reason, task, last)
        }
    }

    private func later(_ seconds: Double, _ reason: String, _ task: TaskContext, _ last: String) throws -> Answer {
        guard task.retries < patience else {
            task.log(.warning, "plan B: \(reason)")
            return Answer(price: String(decoding: try Files.read(last), as: UTF8.self), method: "fallback")
        }
        // Not all at the same moment. No todos en el mismo instante.
        throw Retry(after: .seconds(seconds + .random(in: 0...0.3)), reason: reason)
    }
}

/// An order, "customer;product;amount" in a file. One that is invalid is not tried again: its message waits among the dead
/// letters until somebody has mended the file. / Un pedido inválido no se reintenta: su mensaje queda entre los *dead
/// letters* hasta que alguien corrija el archivo.
struct ImportOrder: TaskHandler {
    static let options = TaskOptions(
        hardLimit: .seconds(30), retry: .backoff(maxRetries: 3).except(for: ["InvalidOrder"]),
        doc: "Takes an order over.", maxStarts: 1, acksOnFailure: false)

    @Arg var path: String

    func run(_ task: TaskContext) throws -> String {
        let fields = try Files.lines(path)[0].split(separator: ";", omittingEmptySubsequences: false)
        // A fault, left in on purpose: with too few fields this traps, and the process dies. Only this one: the other
        // tasks have processes of their own. / Un error, a propósito: con menos campos, muere el proceso; solo este.
        guard let amount = Double(fields[2]), amount > 0 else { throw InvalidOrder("\(fields[2]) is no amount") }
        return "\(fields[0]) buys \(fields[1]) for \(amount)"
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    TaskBundle("retries", version: "1.0.0") {
        Download.self
        Price.self
        ImportOrder.self
        Alert.self
        SendMail.self
    }.register(with: host)
}
