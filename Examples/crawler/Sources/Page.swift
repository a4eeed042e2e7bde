// One page of the web, and what is of interest in it. Una página de la web.

struct Page {
    /// HTTP's: 200, 404, 503 …
    var status: Int
    var title: String?
    var links: Int
    var bytes: Int

    init(at address: WebAddress) throws(ConnectionLost) {
        let reply = try HTTPReply.get(address)
        let text = String(decoding: reply.body, as: UTF8.self)
        status = reply.status
        title = text.firstMatch(of: #/<title>([^<]*)</title>/#.ignoresCase()).map { String($0.1) }
        links = text.matches(of: #/<a\s[^>]*href=/#.ignoresCase()).count
        bytes = reply.body.count
    }
}
