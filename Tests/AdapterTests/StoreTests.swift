// What every result store keeps, and what it lets go.
import Foundation
import Ports
import TaskModel
import Testing

@Suite("Every result store", .serialized)
struct StoreTests {
    @Test("a stored document is fetched byte for byte, by anybody", arguments: StoreKind.lasting)
    func fetches(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let (first, second) = (try place.client(), try place.client())
        try first.put(place.id(), .success, "grüße \\ud83d\\ude42")
        #expect(try first.get(place.id()) == meta(.success, "grüße \\ud83d\\ude42"))
        #expect(try second.get(place.id()) == meta(.success, "grüße \\ud83d\\ude42"))
        try first.close()
        try second.close()
    }

    @Test("of an unknown task there is nothing", arguments: StoreKind.lasting)
    func unknown(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        #expect(try client.get(place.id("never")) == nil)
        try client.close()
    }

    @Test("a later state replaces an earlier one", arguments: StoreKind.lasting)
    func replaces(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        for (state, text) in [(TaskState.started, "1"), (.retry, "2"), (.failure, "3"), (.success, "4")] {
            try client.put(place.id(), state, text)
            #expect(try client.get(place.id()) == meta(state, text))
        }
        try client.close()
    }

    @Test("a stored SUCCESS is not overwritten, and trying is no error", arguments: StoreKind.lasting)
    func successStays(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let (first, second) = (try place.client(), try place.client())
        try first.put(place.id(), .success, "mine")
        for state in [TaskState.failure, .success, .started, .revoked, TaskState(rawValue: "PROGRESS")] {
            try second.put(place.id(), state, "too late")
        }
        #expect(try first.get(place.id()) == meta(.success, "mine"))
        try first.close()
        try second.close()
    }

    @Test("a SUCCESS told of inside another document is not taken for one", arguments: StoreKind.lasting)
    func successInside(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        try client.put(place.id(), .failure, #"{\"status\": \"SUCCESS\"}"#)
        try client.put(place.id(), .success, "real")
        #expect(try client.get(place.id()) == meta(.success, "real"))
        try client.close()
    }

    @Test("a forgotten result is gone", arguments: StoreKind.lasting)
    func forgets(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        try client.put(place.id(), .success, "x")
        try client.forget(place.id())
        #expect(try client.get(place.id()) == nil)
        // Nothing is left that would forbid a new one.
        try client.put(place.id(), .failure, "y")
        #expect(try client.get(place.id()) == meta(.failure, "y"))
        try client.close()
    }

    @Test("an expired result is gone, one without expiry stays", arguments: StoreKind.lasting)
    func expires(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        try client.put(place.id("brief"), .success, "x", expiresAfterSeconds: 1)
        try client.put(place.id("lasting"), .success, "y", expiresAfterSeconds: nil)
        #expect(try client.get(place.id("brief")) != nil)
        let deadline = ContinuousClock.now + .seconds(10)
        while try client.get(place.id("brief")) != nil {
            try #require(ContinuousClock.now < deadline, "it is still there")
            client.loop.runOnce(timeoutSeconds: 0.02)
        }
        #expect(try client.get(place.id("lasting")) == meta(.success, "y"))
        try client.forget(place.id("lasting"))
        try client.close()
    }

    @Test("500 results at once are all kept", arguments: StoreKind.lasting)
    func many(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        try client.put((0..<500).map { client.record(place.id("\($0)"), .success, "\($0)") })
        for number in stride(from: 0, to: 500, by: 37) {
            #expect(try client.get(place.id("\(number)")) == meta(.success, "\(number)"))
        }
        try client.close()
    }

    @Test("a document of 1 MiB is kept whole", arguments: StoreKind.lasting)
    func large(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let text = String(repeating: "0123456789abcdef", count: 65536)
        try client.put(place.id(), .success, text)
        #expect(try client.get(place.id()) == meta(.success, text))
        try client.close()
    }

    @Test("storing before the link is up waits for it", arguments: StoreKind.allCases)
    func waits(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.freshClient()
        client.connect()
        try client.put(place.id(), .success, "early")
        if kind.isLasting { #expect(try client.get(place.id()) == meta(.success, "early")) }
        try client.close()
    }
}

@Suite("Every result store, followed", .serialized)
struct FollowTests {
    @Test("a follower sees a state stored by another process", arguments: StoreKind.allCases)
    func sees(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let (follower, worker) = (try place.client(), try place.client())
        var seen: [[UInt8]] = []
        let subscription = follower.store.follow(place.id()) { seen.append(plain($0)) }
        try follower.send(place.id())
        try worker.put(place.id(), .success, "done", replyTo: follower.store.replyTo)
        try follower.wait("the result") { !seen.isEmpty }
        #expect(seen == [meta(.success, "done")])
        subscription.cancel()
        try follower.close()
        try worker.close()
    }

    @Test("a follower sees the states in their order", arguments: StoreKind.allCases)
    func seesInOrder(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let (follower, worker) = (try place.client(), try place.client())
        var seen: [[UInt8]] = []
        let subscription = follower.store.follow(place.id()) { seen.append(plain($0)) }
        try follower.send(place.id())
        let states = [(TaskState.started, "1"), (TaskState(rawValue: "PROGRESS"), "2"), (.success, "3")]
        for (number, (state, text)) in states.enumerated() {
            try worker.put(place.id(), state, text, replyTo: follower.store.replyTo)
            try follower.wait("state \(state)") { seen.count > number }
        }
        #expect(seen == states.map { meta($0.0, $0.1) })
        subscription.cancel()
        try follower.close()
        try worker.close()
    }

    @Test("a follower is shown what is there already", arguments: StoreKind.lasting)
    func seesPresent(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        try client.put(place.id(), .success, "old")
        for _ in 0..<2 {
            var seen: [[UInt8]] = []
            let subscription = client.store.follow(place.id()) { seen.append(plain($0)) }
            try client.wait("the present document") { !seen.isEmpty }
            #expect(seen == [meta(.success, "old")])
            subscription.cancel()
        }
        try client.close()
    }

    @Test("a cancelled follower hears no more, another one does", arguments: StoreKind.allCases)
    func cancels(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let (follower, worker) = (try place.client(), try place.client())
        var (gone, staying) = (0, 0)
        let first = follower.store.follow(place.id()) { _ in gone += 1 }
        let second = follower.store.follow(place.id()) { _ in staying += 1 }
        try follower.send(place.id())
        try worker.put(place.id(), .started, "1", replyTo: follower.store.replyTo)
        try follower.wait("both to hear") { gone == 1 && staying == 1 }
        first.cancel()
        try worker.put(place.id(), .success, "2", replyTo: follower.store.replyTo)
        try follower.wait("the other to hear") { staying == 2 }
        #expect(gone == 1)
        second.cancel()
        try follower.close()
        try worker.close()
    }

    @Test("200 followed tasks all arrive", arguments: StoreKind.allCases)
    func followsMany(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let (follower, worker) = (try place.client(), try place.client())
        var seen: [Int: [UInt8]] = [:]
        let subscriptions = (0..<200).map { number in
            follower.store.follow(place.id("\(number)")) { seen[number] = plain($0) }
        }
        try follower.send(place.id())
        try worker.put(
            (0..<200).map { worker.record(place.id("\($0)"), .success, "\($0)", replyTo: follower.store.replyTo) })
        try follower.wait("200 results") { seen.count == 200 }
        for number in 0..<200 { #expect(seen[number] == meta(.success, "\(number)")) }
        for subscription in subscriptions { subscription.cancel() }
        try follower.close()
        try worker.close()
    }
}
