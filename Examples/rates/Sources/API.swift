// The API that the tasks ask. La API a la que preguntan las tareas.
import Glibc
import TaskhostSDK

enum API {
    static func get(_ path: String) throws -> HTTPReply {
        let place = try address(path)
        do throws(ConnectionLost) { return try HTTPReply.get(place) } catch { throw unreachable(error) }
    }

    static func post(_ json: [UInt8], to path: String) throws -> HTTPReply {
        let place = try address(path)
        do throws(ConnectionLost) { return try HTTPReply.post(json, to: place) } catch { throw unreachable(error) }
    }

    static func expect(_ status: Int, _ reply: HTTPReply, _ path: String) throws {
        guard reply.status != status else { return }
        throw TaskError(type: "RuntimeError", "\(path): the API said \(reply.status)")
    }

    /// The worker passes API_SERVER on because taskhost.toml says so. taskhost.toml deja pasar API_SERVER.
    private static func address(_ path: String) throws -> WebAddress {
        guard let server = getenv("API_SERVER").map({ String(cString: $0) }),
            let address = WebAddress("http://\(server)\(path)")
        else { throw TaskError(type: "ValueError", "API_SERVER: write host:port, and \(path) as /path") }
        return address
    }

    private static func unreachable(_ problem: ConnectionLost) -> TaskError {
        TaskError(type: "ConnectionError", problem.reason)
    }
}
