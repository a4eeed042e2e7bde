// The task of the crawler. La tarea del rastreador.
import TaskhostSDK

/// Fetches one page. Of each domain one at a time and ten a minute, over all workers together: `limitKey` counts by the
/// host in the argument `url`. / Trae una página; de cada dominio, una a la vez y diez por minuto entre todos los workers.
struct Fetch: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(25), hardLimit: .seconds(30), retry: .atMost(2), doc: "Fetches one page.",
        rateLimit: "10/m", maxConcurrent: 1, limitScope: .global, limitKey: "url:domain")

    @Arg var url: String

    struct Fetched: Codable {
        var url: String
        /// "fetched" or "failed".
        var outcome: String
        /// The queue it came from in the end. La cola de la que salió al final.
        var queue: String
        var title: String?
        var links: Int?
        var bytes: Int?
        var reason: String?
    }

    /// Where a page goes that failed: one queue lower. A la cola siguiente, si falla.
    static let lower = ["urgent": "normal", "normal": "low"]

    func run(_ task: TaskContext) throws -> Fetched {
        guard let address = WebAddress(url) else { throw TaskError(type: "ValueError", "\(url) is no http address") }
        let reason: String
        do throws(ConnectionLost) {
            let page = try Page(at: address)
            if page.status == 200 {
                return Fetched(
                    url: url, outcome: "fetched", queue: task.queue, title: page.title, links: page.links,
                    bytes: page.bytes)
            }
            // "Not there" stays so; 5xx may pass. "No existe" no cambia; 5xx puede pasar.
            guard page.status >= 500 else { return failed("status \(page.status)", task) }
            reason = "status \(page.status)"
        } catch {
            reason = error.reason
        }
        guard let next = Self.lower[task.queue] else { return failed(reason, task) }
        throw Retry(after: .seconds(1), queue: next)
    }

    private func failed(_ reason: String, _ task: TaskContext) -> Fetched {
        Fetched(url: url, outcome: "failed", queue: task.queue, reason: reason)
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("crawler", version: "1.0.0") { Fetch.self }.register(with: host)
}
