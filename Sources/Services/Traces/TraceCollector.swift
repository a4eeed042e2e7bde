// Where spans go: an OTLP collector over HTTP.
import CHTTP
import Glibc

public struct TraceCollector: Sendable {
    /// Whole, e.g. "http://localhost:4318/v1/traces".
    var endpoint: String
    /// For the log: without passwords.
    var shown: String
    /// "Name: value".
    var headers: [String]

    private static let timeoutMilliseconds = 10_000

    /// Before other threads begin. nil: this machine's libcurl cannot be set up.
    /// - Parameters:
    ///   - shown: the address as the log may tell it.
    ///   - headers: "Name: value", beside the content's type: keys of hosted collectors, as a rule.
    ///   - agent: "taskhost/0.1.0".
    public init?(endpoint: String, shown: String, headers: [String], agent: String) {
        guard http_begin() == 0 else { return nil }
        self.endpoint = endpoint
        self.shown = shown
        self.headers =
            ["Content-Type: application/json", "User-Agent: \(agent)", "Expect:"]
            + headers
    }

    /// Waits for the answer.
    func post(_ body: [UInt8]) -> SpanExporter.Answer {
        var error = [CChar](repeating: 0, count: Int(HTTP_ERROR_SIZE))
        let lines = headers.map { strdup($0) }
        defer { for line in lines { free(line) } }
        let pointers: [UnsafePointer<CChar>?] = lines.map { UnsafePointer($0) } + [nil]
        let status = http_post(endpoint, pointers, body, body.count, Self.timeoutMilliseconds, &error)
        switch status {
        case 200..<300: return .taken
        case ..<0:
            return .later(String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
        // Those that the protocol calls worth another try.
        case 429, 502, 503, 504: return .later("\(shown) answered \(status)")
        default: return .refused("\(shown) answered \(status)")
        }
    }
}
