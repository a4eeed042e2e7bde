// What every store that joins chords does with their parts.
import Foundation
import Ports
import TaskModel
import Testing

@Suite("Every chord store", .serialized)
struct ChordTests {
    @Test("the part that completes the chord gets all parts, in the header's order", arguments: StoreKind.counting)
    func completes(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        try chord.announce(["a", "b", "c"])
        try chord.expectWaiting(chord.report("c", 2, "30"))
        try chord.expectWaiting(chord.report("a", 0, "10"))
        let (claim, parts) = try chord.expectComplete(chord.report("b", 1, #""twenty""#))
        #expect(parts == [#"[1,"a","SUCCESS",10]"#, #"[1,"b","SUCCESS","twenty"]"#, #"[1,"c","SUCCESS",30]"#])
        #expect(try chord.keep(claim))
        try chord.finish(claim)
        try client.close()
    }

    @Test("members without a place come last", arguments: StoreKind.counting)
    func withoutPlace(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        try chord.announce(["first", "late"])
        try chord.expectWaiting(chord.report("late", nil, "1"))
        let (_, parts) = try chord.expectComplete(chord.report("first", 0, "2"))
        #expect(parts == [#"[1,"first","SUCCESS",2]"#, #"[1,"late","SUCCESS",1]"#])
        try client.close()
    }

    @Test("a part reported twice counts once, whatever it says the second time", arguments: StoreKind.counting)
    func duplicate(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        try chord.announce(["a", "b"])
        try chord.expectWaiting(chord.report("a", 0, "1"))
        try chord.expectWaiting(chord.report("a", 0, "2"))
        let (_, parts) = try chord.expectComplete(chord.report("b", 1, "3"))
        #expect(parts == [#"[1,"a","SUCCESS",1]"#, #"[1,"b","SUCCESS",3]"#])
        try client.close()
    }

    @Test("of reporters that race, exactly one is to publish the body", arguments: StoreKind.counting)
    func oneClaim(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let clients = try (0..<4).map { _ in try place.client() }
        let id = place.id("chord")
        let chords = try clients.map { try ChordClient($0, id, namesTasks: true) }
        try chords[0].announce((0..<20).map { "t\($0)" })
        // Each part is reported by two workers, as after a redelivery.
        let answers = (0..<20).flatMap { number in
            [chords[number % 4], chords[(number + 1) % 4]].map { $0.report("t\(number)", number, "\(number)") }
        }
        try clients[0].wait("one to complete it") { answers.contains { $0.claim != nil } }
        let winner = try #require(answers.first { $0.claim != nil }?.claim)
        try chords[0].finish(winner)
        try clients[0].wait("every answer") { answers.allSatisfy { $0.value != nil } }
        #expect(answers.filter { $0.claim != nil }.count == 1)
        for client in clients { try client.close() }
    }

    @Test("a part that comes when the chord is done changes nothing", arguments: StoreKind.counting)
    func lateAfterDone(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        try chord.announce(["a"])
        let (claim, _) = try chord.expectComplete(chord.report("a", 0, "1"))
        try chord.finish(claim)
        try chord.expectWaiting(chord.report("a", 0, "1"))
        try chord.expectWaiting(chord.report("b", 1, "1"))
        #expect(try !chord.keep(ChordClaim(groupID: chord.id, token: "another")))
        try client.close()
    }

    @Test("applied once more, a chord may be announced after its first member has run", arguments: StoreKind.gathering)
    func appliedAgain(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        try chord.announce(["a", "b"])
        try chord.expectWaiting(chord.report("a", 0, "1"))
        let (claim, _) = try chord.expectComplete(chord.report("b", 1, "2"))
        try chord.finish(claim)
        let early = chord.report("a", 0, "3")
        try chord.announce(["a", "b"])
        try chord.expectWaiting(early)
        let (_, parts) = try chord.expectComplete(chord.report("b", 1, "4"))
        #expect(parts == [#"[1,"a","SUCCESS",3]"#, #"[1,"b","SUCCESS",4]"#])
        try client.close()
    }

    @Test("a failed member is among the parts, and the chord fails only once", arguments: StoreKind.counting)
    func failedMember(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        try chord.announce(["bad", "good"])
        try chord.expectWaiting(chord.report("bad", 0, #"{"exc_type":"ValueError"}"#, .failure))
        let (claim, parts) = try chord.expectComplete(chord.report("good", 1, "1"))
        #expect(parts.first == #"[1,"bad","FAILURE",{"exc_type":"ValueError"}]"#)
        try chord.fail(claim)
        try chord.expectWaiting(chord.report("good", 1, "1"))
        try client.close()
    }

    @Test("a member added while the chord runs is waited for", arguments: StoreKind.gathering)
    func added(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        try chord.announce(["a"])
        try chord.add()
        try chord.expectWaiting(chord.report("a", 0, "1"))
        let (_, parts) = try chord.expectComplete(chord.report("added", 1, "2"))
        #expect(parts.count == 2)
        try client.close()
    }

    @Test("a nested header is joined from the members' results", arguments: StoreKind.counting)
    func nested(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        let names = ["a", "b", "c"]
        try chord.announce(names, saved: Self.tuple(chord.id, names.map(chord.taskID)))
        for (index, name) in names.enumerated() { try client.put(chord.taskID(name), .success, "r\(index)") }
        try chord.expectWaiting(chord.report("c", 1, #""r2""#))
        try chord.expectWaiting(chord.report("a", 0, #""r0""#))
        let (_, parts) = try chord.expectComplete(chord.report("b", 0, #""r1""#))
        #expect(parts == [#"[1,"inner","SUCCESS",["r0","r1"]]"#, #"[1,"c","SUCCESS","r2"]"#])
        try client.close()
    }

    @Test("a nested header whose result never comes cannot be joined", arguments: StoreKind.counting)
    func nestedMissing(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let client = try place.client()
        let chord = try ChordClient(client, place.id("chord"), namesTasks: true)
        let names = ["a", "b", "c"]
        try chord.announce(names, saved: Self.tuple(chord.id, names.map(chord.taskID)))
        for name in names.dropLast() { try chord.expectWaiting(chord.report(name, 0, "1")) }
        let answer = chord.report("c", 1, "1", isStored: false)
        try client.wait("the answer") { answer.value != nil }
        guard case .success(.unjoinable(_, let reason))? = answer.value else {
            Issue.record("answered \(String(describing: answer.value))")
            return
        }
        #expect(reason.contains("did not come within"))
        try client.close()
    }

    @Test("a claim that ran out goes to whoever reports next", arguments: StoreKind.counting)
    func claimLost(kind: StoreKind) throws {
        let place = try StoreUnderTest(kind)
        let (dying, other) = (try place.client(), try place.client())
        let id = place.id("chord")
        let (first, second) = (
            try ChordClient(dying, id, namesTasks: true), try ChordClient(other, id, namesTasks: true)
        )
        try first.announce(["a"])
        let (lost, _) = try first.expectComplete(first.report("a", 0, "1"))
        // The first says no more; the redelivered member is reported by the second until the claim runs out.
        let answer = second.report("a", 0, "1")
        try other.wait("the claim to run out", seconds: 20) { answer.value != nil }
        let claim = try #require(answer.claim)
        #expect(try second.keep(claim))
        #expect(try !first.keep(lost))
        try second.finish(claim)
        try dying.close()
        try other.close()
    }

    /// A group of a and b, and c beside it.
    private static func tuple(_ group: String, _ ids: [String]) -> String {
        let members = ids.map { #"[["\#($0)", null], null]"# }
        return #"[["\#(group)", null], [[["inner", null], [\#(members[0]), \#(members[1])]], \#(members[2])]]"#
    }
}
