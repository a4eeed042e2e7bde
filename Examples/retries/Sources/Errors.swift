// How the tasks fail: each kind under a name of its own, which the retry policies and Python programs go by.
// Cómo fallan las tareas: cada clase con su nombre, por el que se guían los reintentos y los programas en Python.
import TaskhostSDK

/// The server cannot now; later it may. Python programs with a module `problems` catch problems.ServiceBusy(url, status).
struct ServiceBusy: NamedError {
    var url: String
    var status: Int

    let errorModule = "problems"
    var errorMessage: String { "\(url): status \(status)" }
    var errorArguments: [JSON]? { [.string(url), .int(Int64(status))] }
}

/// What was asked for is not there, and will not be. No está, y no va a estar.
struct NotFound: NamedError {
    var url: String

    let errorModule = "problems"
    var errorMessage: String { "\(url) is not there" }
}

/// An order that makes no sense until somebody mends it. Un pedido que alguien tiene que corregir.
struct InvalidOrder: NamedError {
    let errorModule = "problems"
    let errorMessage: String

    init(_ message: String) { errorMessage = message }
}

enum Service {
    /// The body of the page; throws one of the above, or ConnectionLost.
    static func fetch(_ url: String) throws -> [UInt8] {
        guard let address = WebAddress(url) else { throw TaskError(type: "ValueError", "\(url) is no http address") }
        let reply = try HTTPReply.get(address)
        switch reply.status {
        case 200: return reply.body
        case 400..<500: throw NotFound(url: url)
        default: throw ServiceBusy(url: url, status: reply.status)
        }
    }
}
