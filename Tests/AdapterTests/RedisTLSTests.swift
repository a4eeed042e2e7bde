// Redis over TLS: whom we trust, what is said of the others, and that the way through the carrier holds.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import Redis

@Suite("Redis over TLS", .serialized)
struct RedisTLSTests {
    private let loop: EpollLoop

    init() throws {
        // As the command line does; the test process does not.
        signal(SIGPIPE, SIG_IGN)
        loop = try EpollLoop()
    }

    @Test(
        "a server that the authority vouches for is trusted, and one that is not to be checked",
        arguments: [
            "ssl_ca_certs=CA", "ssl_ca_certs=CA&ssl_certfile=CLIENT&ssl_keyfile=KEY", "ssl_cert_reqs=none",
            "ssl_cert_reqs=none&ssl_ca_certs=OTHER", "HOST ssl_ca_certs=CA&ssl_check_hostname=false",
            "HOST ssl_cert_reqs=none",
        ])
    func trusts(how: String) throws {
        let client = try client(url(how))
        try client.wait("the store") { client.isUp }
        try client.put("tls-\(how)", .success, "1")
        #expect(try client.get("tls-\(how)") == meta(.success, "1"))
        try client.close()
    }

    @Test(
        "a server that is not trusted gets nothing, and the reason is final and names the fix",
        arguments: [
            ("", "ssl_ca_certs"), ("ssl_ca_certs=OTHER", "ssl_ca_certs"),
            ("ssl_ca_certs=OTHER&ssl_check_hostname=false", "ssl_ca_certs"),
            ("HOST ssl_ca_certs=CA", "not made out to '127.0.0.1'"),
            ("ssl_ca_certs=/missing.pem", "No such file"), ("ssl_ca_certs=KEY", "PEM certificates"),
            ("ssl_ca_certs=CA&ssl_certfile=/missing.pem", "ssl_certfile"),
            ("ssl_ca_certs=CA&ssl_certfile=CLIENT&ssl_keyfile=OTHERKEY", "belong together"),
            ("ssl_ca_certs=CA&ssl_certfile=STRANGER&ssl_keyfile=OTHERKEY", "does not accept our certificate"),
        ])
    func refuses(how: String, named: String) throws {
        let client = try client(url(how))
        let failure = #expect(throws: StoreFailure.self) { try client.put("tls-refused", .success, "1") }
        #expect(failure?.code == .refused)
        #expect(failure?.description.contains(named) == true, "\(failure?.description ?? "")")
        #expect(!client.isUp)
        try client.close()
    }

    @Test(
        "a server that wants a client certificate is told so by either version of TLS",
        arguments: ["TLSv1.3", "TLSv1.2"])
    func clientCertificate(version: String) throws {
        let server = try PrivateRedis()
        let port = try server.startTLS(port: nil, certificate: "server", "--tls-protocols", version)
        try server.command("CONFIG", "SET", "tls-auth-clients", "yes")
        let without = try client("rediss://localhost:\(port)?ssl_ca_certs=\(try Servers.certificate("ca.pem"))")
        let failure = #expect(throws: StoreFailure.self) { try without.put("x", .success, "1") }
        #expect(failure?.code == .refused)
        #expect(failure?.fix?.contains("ssl_certfile") == true, "\(failure?.description ?? "")")
        try without.close()
        let with = try client(try url("ssl_ca_certs=CA&ssl_certfile=CLIENT&ssl_keyfile=KEY", port: port))
        try with.put("x", .success, "1")
        try with.close()
    }

    @Test("a common name is no host name, as in Python")
    func commonName() throws {
        let server = try PrivateRedis()
        let port = try server.startTLS(certificate: "nameless")
        let strict = try client(try url("ssl_ca_certs=CA", port: port))
        let failure = #expect(throws: StoreFailure.self) { try strict.put("x", .success, "1") }
        #expect(failure?.description.contains("not made out to 'localhost'") == true)
        try strict.close()
        let lenient = try client(try url("ssl_ca_certs=CA&ssl_check_hostname=false", port: port))
        try lenient.put("x", .success, "1")
        try lenient.close()
    }

    @Test("documents of some megabytes go both ways, several at a time")
    func large() throws {
        let client = try client(url("ssl_ca_certs=CA"))
        let text = String(repeating: "0123456789abcdef", count: 200_000)
        let ids = (0..<2).map { "tls-large-\($0)-\(UUID().uuidString)" }
        try client.put(ids.map { client.record($0, .success, text + $0) })
        for id in ids {
            // Not in the expectation: a failure would print all of it.
            let isTheSame = try client.get(id) == meta(.success, text + id)
            #expect(isTheSame)
        }
        try client.close()
    }

    @Test("a server that reads nothing holds up neither the loop nor what is sent, once it reads again")
    func frozen() throws {
        let server = try PrivateRedis()
        let port = try server.startTLS()
        let link = try link(try url("ssl_ca_certs=CA", port: port))
        try server.freeze()
        // Far more than socket and pair hold.
        let values = (0..<12).map { [UInt8](repeating: UInt8(ascii: "a") + $0, count: 1_000_000) }
        var answers: [RedisReply] = []
        for (number, value) in values.enumerated() {
            link.send(["SET".bytes, "frozen-\(number)".bytes, value]) { answers.append($0) }
        }
        var turns = 0
        for number in 0..<50 { _ = loop.schedule(afterSeconds: 0.02 * Double(number)) { turns += 1 } }
        try wait("50 timers") { turns == 50 }
        #expect(answers.isEmpty)
        try server.thaw()
        try wait("12 answers") { answers.count == 12 }
        #expect(answers.allSatisfy { $0.errorText == nil })
        var read: [[UInt8]?] = []
        for number in values.indices { link.send(["GET".bytes, "frozen-\(number)".bytes]) { read.append($0.bytes) } }
        try wait("12 values") { read.count == 12 }
        // Not in the expectation: a failure would print all of them.
        let areTheSame = read == values
        #expect(areTheSame)
        link.close()
    }

    @Test("a server that dies is connected to again, and what waits is done")
    func comesBack() throws {
        let server = try PrivateRedis()
        let port = try server.startTLS()
        let client = try client(try url("ssl_ca_certs=CA", port: port))
        try client.put("before", .success, "1")
        try server.kill()
        var outcome: StoreFailure??
        client.store.store(client.record("during", .success, "2")) { outcome = .some($0) }
        try client.wait("the loss to be told") { !client.isUp }
        _ = try server.startTLS(port: port)
        try client.wait("the store") { outcome != nil }
        #expect(try client.get("during") == meta(.success, "2"))
        try client.close()
    }

    @Test("a certificate that turns bad while we run is told with its fix, and what waits waits on")
    func turnsBad() throws {
        let server = try PrivateRedis()
        let port = try server.startTLS()
        let client = try client(try url("ssl_ca_certs=CA", port: port))
        try client.put("before", .success, "1")
        try server.kill()
        _ = try server.startTLS(port: port, certificate: "other-ca")
        var outcome: StoreFailure??
        client.store.store(client.record("during", .success, "2")) { outcome = .some($0) }
        try client.wait("the reason") { client.reasons.contains { $0.contains("ssl_ca_certs") } }
        #expect(outcome == nil)
        try server.kill()
        _ = try server.startTLS(port: port)
        try client.wait("the store", seconds: 30) { outcome != nil }
        #expect(outcome?.map(\.description) == nil)
        try client.close()
    }

    @Test("what was written before the close still goes out")
    func farewell() throws {
        let key = "tls-farewell-\(UUID().uuidString)"
        let link = try link(url("ssl_ca_certs=CA"))
        // hiredis writes when its end of the pair is writable, which is in the next turn; then the carrier is closed
        // before it has been called.
        link.send(["SET".bytes, key.bytes, "1".bytes]) { _ in }
        loop.runOnce(timeoutSeconds: 1)
        link.close()
        let reader = try self.link(url("ssl_ca_certs=CA"))
        var answer: RedisReply?
        reader.send(["GET".bytes, key.bytes]) { answer = $0 }
        try wait("the answer") { answer != nil }
        #expect(answer?.bytes == "1".bytes)
        reader.close()
    }

    /// "HOST" names the server by its address, which its certificate does not; words stand for files.
    private func url(_ how: String, port: Int? = nil) throws -> String {
        let files = [
            "CA": "ca.pem", "OTHERKEY": "other-ca.key", "OTHER": "other-ca.pem", "STRANGER": "other-ca.pem",
            "CLIENT": "client.pem", "KEY": "client.key",
        ]
        var base = try port.map { "rediss://localhost:\($0)" } ?? Servers.rediss()
        var parameters = how
        if how.hasPrefix("HOST ") {
            base = base.replacingOccurrences(of: "localhost", with: "127.0.0.1")
            parameters = String(how.dropFirst(5))
        }
        let pairs = try parameters.split(separator: "&").map { pair -> String in
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            return "\(parts[0])=\(try files[parts[1]].map(Servers.certificate) ?? parts[1])"
        }
        return base + "?" + pairs.joined(separator: "&")
    }

    private func client(_ url: String) throws -> StoreClient {
        let client = StoreClient(RedisResults(address: try RedisAddress(url: url), loop: loop), nil, loop)
        client.connect()
        return client
    }

    /// Up already.
    private func link(_ url: String) throws -> RedisLink {
        var isUp = false
        let link = RedisLink(address: try RedisAddress(url: url), loop: loop) { if case .up = $0 { isUp = true } }
        link.connect()
        try wait("the link") { isUp }
        return link
    }

    private func wait(_ what: String, until condition: () -> Bool) throws {
        guard loop.run(until: condition, timeoutSeconds: 15) else { throw TooLate(what: what) }
    }
}
