// A web server asked by HTTP/1.0. Una pregunta a un servidor web.

/// An address of the form http://host[:port]/path; nil for any other.
struct WebAddress {
    var host: String
    var port: String
    var path: String

    init?(_ url: String) {
        guard let found = url.wholeMatch(of: #/http://([A-Za-z0-9.-]+)(?::(\d+))?(/[!-~]*)?/#) else { return nil }
        host = String(found.1)
        port = found.2.map(String.init) ?? "80"
        path = found.3.map(String.init) ?? "/"
    }
}

struct HTTPReply {
    /// 200, 404, 503 …
    var status: Int
    /// By their names in lower case: "retry-after". Por su nombre en minúsculas.
    var fields: [String: String]
    var body: [UInt8]

    private static let mostBytes = 4 << 20

    static func get(_ address: WebAddress) throws(ConnectionLost) -> HTTPReply {
        try ask("GET", address, header: [], body: [])
    }

    static func post(_ json: [UInt8], to address: WebAddress) throws(ConnectionLost) -> HTTPReply {
        let header = ["Content-Type: application/json", "Content-Length: \(json.count)"]
        return try ask("POST", address, header: header, body: json)
    }

    private static func ask(
        _ method: String, _ address: WebAddress, header: [String], body: [UInt8]
    ) throws(ConnectionLost) -> HTTPReply {
        let connection = try TCPConnection(host: address.host, port: address.port)
        let lines = ["\(method) \(address.path) HTTP/1.0", "Host: \(address.host)", "User-Agent: taskhost"] + header
        try connection.write(lines.map { $0 + "\r\n" }.joined() + "\r\n" + String(decoding: body, as: UTF8.self))
        let line = try connection.line()
        guard let code = line.wholeMatch(of: #/HTTP/1\.\d (\d\d\d).*/#).flatMap({ Int($0.1) }) else {
            throw ConnectionLost(reason: "\(address.host) speaks no HTTP")
        }
        var fields: [String: String] = [:]
        while case let field = try connection.line(), !field.isEmpty {
            guard let match = field.wholeMatch(of: #/([^:]+):\s*(.*?)\s*/#) else { continue }
            fields[match.1.lowercased()] = String(match.2)
        }
        return HTTPReply(status: code, fields: fields, body: try connection.rest(most: mostBytes))
    }
}
