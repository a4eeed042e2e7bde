// Probes are answered whoever else is connected.
import Foundation
import Glibc
import Testing

@testable import Observability

@Suite struct ScrapeServerTests {
    private func connection(to port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return status == 0 ? descriptor : -1
    }

    private func say(_ text: String, on descriptor: Int32) {
        _ = send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
    }

    /// Until the server closes.
    private func everything(from descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &piece, piece.count, 0)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece.prefix(count)
        }
    }

    @Test("a probe is answered while others say half a request, and those are sent away")
    func dawdlers() throws {
        let server = try ScrapeServer(host: "127.0.0.1", port: 0) { ScrapeAnswer(text: "ok of \($0)") }
        Thread.detachNewThread { server.serve() }
        let dawdlers = (0..<40).map { _ in connection(to: server.port) }
        defer { for one in dawdlers { close(one) } }
        for one in dawdlers { say("GET /livez HT", on: one) }
        let began = ContinuousClock.now
        let probe = connection(to: server.port)
        say("GET /livez?x HTTP/1.1\r\n\r\n", on: probe)
        #expect(everything(from: probe).hasSuffix("\r\n\r\nok of /livez"))
        close(probe)
        // One after the other they would take 40 seconds and more.
        #expect(ContinuousClock.now - began < .seconds(15))
        for one in dawdlers { #expect(everything(from: one).isEmpty) }
    }

    @Test("an answer longer than the socket's buffer arrives whole")
    func long() throws {
        let text = String(repeating: "x", count: 8 << 20)
        let server = try ScrapeServer(host: "127.0.0.1", port: 0) { _ in ScrapeAnswer(text: text) }
        Thread.detachNewThread { server.serve() }
        let client = connection(to: server.port)
        defer { close(client) }
        say("GET /metrics HTTP/1.1\r\n\r\n", on: client)
        #expect(everything(from: client).utf8.count > text.utf8.count)
    }
}
