// What the Redis store does with a sick, sleeping or forbidding server; each test has one of its own.
import Foundation
import Loop
import Ports
import Redis
import TaskModel
import Testing

@Suite("Redis results, when Redis is unwell", .serialized)
struct RedisFaultTests {
    private let server: PrivateRedis
    private let loop: EpollLoop

    init() throws {
        server = try PrivateRedis()
        loop = try EpollLoop()
    }

    @Test("a first result is stored and announced in one step, and a SUCCESS stays")
    func firstResult() throws {
        try server.start()
        let client = try connected(query: "&global_keyprefix=app")
        let record = client.record("U1", .success, "5", expiresAfterSeconds: 86400)
        // The script is known once an answer after it has come.
        #expect(try client.get("U0") == nil)
        let monitor = try server.monitor()
        try client.put([record])
        try client.put("U1", .failure, "late")
        let key = "app_celery-task-meta-U1"
        let document = String(decoding: record.meta, as: UTF8.self)
        let told = try commands(monitor, 6)
        #expect(told[0].hasPrefix("\"EVALSHA\"") && told[0].hasSuffix("\"\(document)\" \"EX\" \"86400\""), "\(told)")
        #expect(
            told[1...2] == [
                "\"SET\" \"\(key)\" \"\(document)\" \"NX\" \"EX\" \"86400\"", "\"PUBLISH\" \"\(key)\" \"\(document)\"",
            ], "\(told)")
        // Nothing follows the look at the second.
        #expect(told[3].hasPrefix("\"EVALSHA\"") && told[5] == "\"GET\" \"\(key)\"", "\(told)")
        #expect(try client.get("U1") == meta(.success, "5"))
        try client.close()
    }

    @Test("a user who may run no scripts stores by Celery's commands, in its order")
    func commands() throws {
        try server.start()
        #expect(try server.answer("ACL", "SETUSER", "default", "-@scripting") == "OK")
        let client = try connected(query: "&global_keyprefix=app")
        let monitor = try server.monitor()
        let record = client.record("U1", .success, "5", expiresAfterSeconds: 86400)
        try client.put([record])
        try client.put("U1", .failure, "late")
        let key = "app_celery-task-meta-U1"
        let document = String(decoding: record.meta, as: UTF8.self)
        let expected = [
            "\"GET\" \"\(key)\"", "\"MULTI\"", "\"SETEX\" \"\(key)\" \"86400\" \"\(document)\"",
            "\"PUBLISH\" \"\(key)\" \"\(document)\"", "\"EXEC\"", "\"GET\" \"\(key)\"",
        ]
        let told = try commands(monitor, expected.count)
        #expect(told == expected, "\(told)")
        try client.close()
    }

    @Test("a server that has forgotten its scripts is told ours again, and no result is lost over it")
    func forgottenScript() throws {
        try server.start()
        let client = try connected()
        #expect(try client.get("U0") == nil)
        #expect(try server.answer("SCRIPT", "FLUSH") == "OK")
        try client.put("U1", .success, "1")
        #expect(try client.get("U1") == meta(.success, "1"))
        let monitor = try server.monitor()
        try client.put("U2", .success, "2")
        #expect(try commands(monitor, 2)[1].hasPrefix("\"SET\""))
        try client.close()
    }

    @Test("a store waits while Redis is away, and is done when it is back")
    func away() throws {
        try server.start()
        let client = try connected()
        try client.put("before", .success, "1")
        try server.kill()
        var outcomes: [StoreFailure?] = []
        for number in 0..<20 {
            client.store.store(client.record("during-\(number)", .success, "2")) { outcomes.append($0) }
        }
        try client.wait("the loss to be told") { !client.isUp }
        #expect(outcomes.isEmpty)
        try server.start()
        try client.wait("20 results") { outcomes.count == 20 }
        #expect(outcomes.allSatisfy { $0 == nil })
        #expect(try client.get("during-19") == meta(.success, "2"))
        try client.close()
    }

    @Test("writes refused for lack of memory are tried again until there is some")
    func outOfMemory() throws {
        try server.start()
        let client = try connected()
        try server.command("CONFIG", "SET", "maxmemory", "1")
        var outcome: StoreFailure??
        client.store.store(client.record("x", .success, "1")) { outcome = .some($0) }
        try client.wait("the reason") { client.reasons.contains { $0.contains("out of memory") } }
        #expect(outcome == nil)
        try server.command("CONFIG", "SET", "maxmemory", "0")
        try client.wait("the store") { outcome != nil }
        #expect(try client.get("x") == meta(.success, "1"))
        try client.close()
    }

    @Test("a password that was wrong from the start is told at once, with the fix, not shown, and blamed on no record")
    func wrongPassword() throws {
        try server.start("--requirepass", "right")
        let address = try RedisAddress(url: "unix://:wrong@\(server.socket)")
        let client = StoreClient(RedisResults(address: address, loop: loop), nil, loop)
        client.connect()
        let failure = #expect(throws: StoreFailure.self) { try client.put("x", .success, "1") }
        #expect(failure?.code == .refused)
        #expect(failure?.description.contains("Check user and password") == true)
        #expect(failure?.description.contains("wrong@") == false)
        try client.close()
    }

    @Test("the right password opens")
    func rightPassword() throws {
        try server.start("--requirepass", "right")
        let address = try RedisAddress(url: "unix://:right@\(server.socket)?db=3")
        let client = StoreClient(RedisResults(address: address, loop: loop), nil, loop)
        client.connect()
        try client.put("x", .success, "1")
        try client.close()
    }

    @Test("a follower whose link broke sees what was stored meanwhile")
    func followsAcrossLoss() throws {
        try server.start()
        let (follower, worker) = (try connected(), try connected())
        var seen: [[UInt8]] = []
        let subscription = follower.store.follow("x") { seen.append($0) }
        try worker.put("x", .started, "1")
        try follower.wait("the first state") { seen.count == 1 }
        // Ends every link but the asking one; the worker's is back at once, the follower's perhaps later.
        try server.command("CLIENT", "KILL", "TYPE", "pubsub")
        try worker.put("x", .success, "2")
        try follower.wait("the second state") { seen.last == meta(.success, "2") }
        subscription.cancel()
        try follower.close()
        try worker.close()
    }

    /// MONITOR of Valkey 8.1 writes quotes within a word as they are, all others with a backslash before them.
    private func commands(_ monitor: PrivateRedis.Monitor, _ count: Int) throws -> [String] {
        try monitor.commands(count).map { $0.replacingOccurrences(of: "\\\"", with: "\"") }
    }

    private func connected(query: String = "") throws -> StoreClient {
        let address = try RedisAddress(url: "unix://\(server.socket)?db=0\(query)")
        let client = StoreClient(RedisResults(address: address, loop: loop), nil, loop)
        client.connect()
        try client.wait("the store") { client.isUp }
        return client
    }
}
