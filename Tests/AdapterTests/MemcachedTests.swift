// What memcached alone has: its addresses, the choice of a server, its protocol, and chords counted by one number.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import Memcached

@Suite("memcached, without a server")
struct MemcachedRuleTests {
    @Test("addresses are read as Celery writes them")
    func addresses() throws {
        let one = try MemcachedAddress(url: "cache+memcached://127.0.0.1:11211/")
        #expect(one.servers.map(\.name) == ["127.0.0.1:11211"])
        let many = try MemcachedAddress(url: "cache+pylibmc://a;b:1;[::1]:2;/run/m.sock;unix:/run/n.sock;a:11211/")
        #expect(many.servers.map(\.name) == ["a:11211", "b:1", "::1:2", "/run/m.sock", "/run/n.sock"])
        #expect("\(many)" == "memcached://a:11211;b:1;[::1]:2;/run/m.sock;/run/n.sock/")
        #expect(try MemcachedAddress(url: "memcached://a/?global_keyprefix=x").effectivePrefix == "x_")
    }

    @Test(
        "an address that cannot be used says why",
        arguments: [
            ("memcached://", "names no server"), ("memcached://u:secret@a/", "takes none"),
            ("memcached://a:0/", "the port"), ("memcached://a,b/", "separated by"), ("memcached://::1/", "brackets"),
            ("memcached://a/?binary=1", "no parameter"),
        ])
    func refusals(address: String, word: String) throws {
        let failure = #expect(throws: StoreFailure.self) { try MemcachedAddress(url: address) }
        #expect(failure?.detail.contains(word) == true && failure?.description.contains("secret") == false)
    }

    // Made by pymemcache 4.0.0: murmur3_32(key), and RendezvousHash over these three nodes.
    @Test("keys lie where Celery's client looks for them")
    func choice() {
        let hashes: [(String, UInt32)] = [
            ("", 0), ("a", 1_009_084_850), ("ab", 2_613_040_991), ("abc", 3_017_643_002), ("abcd", 1_139_631_978),
            ("abcde", 3_902_511_862), ("celery-task-meta-1", 619_741_232),
        ]
        for (key, hash) in hashes { #expect(ServerChoice.murmur3(Array(key.utf8)) == hash) }
        let choice = ServerChoice(["a.example:11211", "b.example:11211", "c.example:11212"])
        let places = (0..<24).map { choice.index(of: "celery-task-meta-\($0)") }
        #expect(places == [1, 2, 0, 2, 0, 0, 0, 0, 2, 2, 0, 2, 2, 1, 1, 1, 2, 0, 2, 1, 2, 2, 2, 2])
        #expect(choice.index(of: "chord-unlock-7") == 0 && choice.index(of: "celery-taskset-meta-7") == 2)
    }

    @Test("a reply is read however it is cut")
    func replies() throws {
        let text =
            "VALUE a 0 5 17\r\nx\r\nEN\r\nVALUE b 16 0 18\r\n\r\nEND\r\nSTORED\r\n"
            + "STAT evictions 3\r\nEND\r\n12\r\n"
        for size in [1, 2, 3, 7, 1_000] {
            var reader = ReplyReader()
            var replies: [MemcachedReply] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { reader.add($0) }
                while let reply = try reader.next() { replies.append(reply) }
            }
            #expect(replies.count == 4)
            #expect(replies[0].items?.map(\.key) == ["a", "b"] && replies[0].items?[0].value == Array("x\r\nEN".utf8))
            #expect(replies[0].items?[1].version == 18 && replies[1].word == "STORED" && replies[3].word == "12")
            guard case .stats(["evictions": "3"]) = replies[2] else {
                Issue.record("\(replies[2])")
                return
            }
        }
    }

    @Test(
        "what is no reply of memcached is refused",
        arguments: [
            "VALUE a 0 x 1\r\n", "VALUE a 0 1\r\n", "VALUE a 0 1 1\r\nxyz\r\n", String(repeating: "x", count: 5_000),
        ])
    func garbled(text: String) {
        var reader = ReplyReader()
        Array(text.utf8).withUnsafeBytes { reader.add($0) }
        #expect(throws: ReplyReader.Garbled.self) { while try reader.next() != nil {} }
    }

    @Test("more than 30 days are written as a point in time")
    func expiry() {
        #expect(MemcachedExpiry.text(nil, now: 1_000) == 0 && MemcachedExpiry.text(0, now: 1_000) == 0)
        #expect(MemcachedExpiry.text(0.2, now: 1_000) == 2 && MemcachedExpiry.text(86_400, now: 1_000) == 86_401)
        #expect(MemcachedExpiry.text(31 * 86_400, now: 1_000_000_000) == 1_000_000_000 + 31 * 86_400 + 1)
    }
}

@Suite("memcached", .serialized)
struct MemcachedTests {
    private let loop: EpollLoop
    private let client: StoreClient
    private let results: MemcachedResults
    private let suffix = UUID().uuidString.lowercased()

    init() throws {
        loop = try EpollLoop()
        let address = try MemcachedAddress(url: Variables.value("TASKHOST_TEST_MEMCACHED_URL"))
        results = MemcachedResults(address: address, loop: loop, options: ResultOptions())
        client = StoreClient(results, nil, loop)
        client.connect()
        try client.wait("the store") { [client] in client.isUp }
    }

    @Test("a record that no item holds is refused for good, and what was there stays")
    func tooLarge() throws {
        try client.put("large-\(suffix)", .started, "small")
        let failure = #expect(throws: StoreFailure.self) {
            try client.put("large-\(suffix)", .success, String(repeating: "x", count: 9 << 20))
        }
        #expect(failure?.isPermanent == true && failure?.detail.contains("larger than memcached takes") == true)
        #expect(try client.get("large-\(suffix)") == meta(.started, "small"))
        try client.close()
    }

    @Test("an id that makes no key is refused for good", arguments: ["a b", "ü", String(repeating: "x", count: 240)])
    func noKey(id: String) throws {
        let failure = #expect(throws: StoreFailure.self) { try client.put(id, .success, "x") }
        #expect(failure?.isPermanent == true && failure?.detail.contains("takes no key") == true)
        #expect(try client.get(id) == nil)
        try client.forget(id)
        try client.close()
    }

    @Test("a part of a chord that memcached has forgotten fails the chord, as with Celery")
    func forgotten() throws {
        let chord = try ChordClient(client, "chord-\(suffix)", namesTasks: true)
        let answer = chord.report("a", 0, "1")
        try client.wait("the answer") { answer.value != nil }
        guard case .success(.unjoinable(let claim, let reason))? = answer.value else {
            Issue.record("answered \(String(describing: answer.value))")
            return
        }
        #expect(reason == "GroupResult chord-\(suffix) no longer exists")
        #expect(try chord.keep(claim))
        try chord.fail(claim)
        #expect(try !chord.keep(claim))
        try client.close()
    }

    @Test("parts whose number was lost are joined when all documents are there")
    func numberLost() throws {
        let chord = try ChordClient(client, "chord-\(suffix)", namesTasks: true)
        try chord.announce(["a", "b"])
        try chord.expectWaiting(chord.report("a", 0, "1"))
        try change([.delete("chord-unlock-chord-\(suffix)")])
        let (_, parts) = try chord.expectComplete(chord.report("b", 1, "2"))
        #expect(parts == [#"[1,"a","SUCCESS",1]"#, #"[1,"b","SUCCESS",2]"#])
        try client.close()
    }

    @Test("a part that a dead host may have counted or not completes its chord all the same")
    func doubt() throws {
        let chord = try ChordClient(client, "chord-\(suffix)", namesTasks: true)
        try chord.announce(["a", "b"])
        // It died after its mark and before the number.
        let keys = try MemcachedChordKeys(chord.id, in: results)
        let mark = keys.mark(of: chord.taskID("a"))
        try change([.store(.set, mark, keys.value(.begun(token: "dead")), expires: 0, version: nil)])
        let again = chord.report("a", 0, "1")
        try client.wait("the answer", seconds: 30) { again.value != nil }
        try chord.expectWaiting(again)
        let (_, parts) = try chord.expectComplete(chord.report("b", 1, "2"))
        #expect(parts == [#"[1,"a","SUCCESS",1]"#, #"[1,"b","SUCCESS",2]"#])
        try client.close()
    }

    @Test("the chord that a Python worker has finished is over for ours")
    func finishedElsewhere() throws {
        let chord = try ChordClient(client, "chord-\(suffix)", namesTasks: true)
        try chord.announce(["a", "b"])
        try chord.expectWaiting(chord.report("a", 0, "1"))
        // What Celery deletes.
        try change([.delete("celery-taskset-meta-chord-\(suffix)"), .delete("chord-unlock-chord-\(suffix)")])
        try chord.expectWaiting(chord.report("a", 0, "1"))
        try client.close()
    }

    private func change(_ commands: [MemcachedCommand]) throws {
        var outcome: StoreFailure??
        results.change(commands) { outcome = .some($0) }
        try client.wait("the change") { outcome != nil }
        if let failure = outcome ?? nil { throw failure }
    }
}
