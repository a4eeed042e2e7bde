// One page of the web: asked for by HTTP/1.0, and what is of interest in it. Una página de la web.

/// An address of the form http://host[:port]/path; nil for any other.
struct PageAddress {
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

struct Page {
    /// HTTP's: 200, 404, 503 …
    var status: Int
    var title: String?
    var links: Int
    var bytes: Int

    private static let mostBytes = 4 << 20

    init(at address: PageAddress) throws(ConnectionLost) {
        let connection = try TCPConnection(host: address.host, port: address.port)
        try connection.write("GET \(address.path) HTTP/1.0\r\nHost: \(address.host)\r\nUser-Agent: taskhost\r\n\r\n")
        let line = try connection.line()
        guard let code = line.wholeMatch(of: #/HTTP/1\.\d (\d\d\d).*/#).flatMap({ Int($0.1) }) else {
            throw ConnectionLost(reason: "\(address.host) speaks no HTTP")
        }
        while try !connection.line().isEmpty {}
        let body = try connection.rest(most: Self.mostBytes)
        let text = String(decoding: body, as: UTF8.self)
        status = code
        title = text.firstMatch(of: #/<title>([^<]*)</title>/#.ignoresCase()).map { String($0.1) }
        links = text.matches(of: #/<a\s[^>]*href=/#.ignoresCase()).count
        bytes = body.count
    }
}
