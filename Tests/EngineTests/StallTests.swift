// A broker that keeps back what it has is noticed; one that has nothing is not.
import TaskModel
import Testing

@testable import Engine

@Suite("Stalls")
struct StallTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: 0).advanced(bySeconds: seconds + 1) }

    @Test("logged once after the patience, answered by recreating the consumers after as long again, and again")
    func stalls() {
        var judge = StallJudge(patience: 10)
        let findings = stride(from: 0.0, through: 45, by: 5).map { judge.look(ready: 3, at: at($0)) }
        #expect(
            findings == [
                .nothingNew, .nothingNew, .stalled, .nothingNew, .goesOn, .nothingNew, .nothingNew, .nothingNew,
                .goesOn, .nothingNew,
            ])
        #expect(judge.isStalled)
    }

    @Test("an empty queue, and a message that comes, end it")
    func heals() {
        var judge = StallJudge(patience: 10)
        for seconds in [0.0, 10] { _ = judge.look(ready: 1, at: at(seconds)) }
        #expect(judge.isStalled)
        #expect(judge.look(ready: 0, at: at(15)) == .healed)
        #expect(!judge.isStalled)
        #expect(judge.look(ready: 1, at: at(20)) == .nothingNew)
        #expect(judge.allWell() == .nothingNew)
        // Counted from here again.
        #expect(judge.look(ready: 1, at: at(25)) == .nothingNew)
        #expect(judge.look(ready: 1, at: at(30)) == .nothingNew)
    }

    @Test("while the link is down no time counts, but it stays stalled")
    func linkDown() {
        var judge = StallJudge(patience: 10)
        for seconds in [0.0, 10] { _ = judge.look(ready: 1, at: at(seconds)) }
        judge.forget()
        #expect(judge.isStalled)
        #expect(judge.look(ready: 1, at: at(100)) == .nothingNew)
    }

    @Test("only queues count whose messages we would take: with a slot free, and within the credit")
    func hungry() {
        let world = SimulatedWorld(seed: 1)
        #expect(world.core.hungryQueues == [])
        world.connect()
        #expect(world.core.hungryQueues == ["q"])
        world.send("a")
        world.send("b")
        world.run(steps: 1)
        #expect(world.core.inFlight.runCount == 2)
        #expect(world.core.hungryQueues == [])
        world.run()
        #expect(world.core.hungryQueues == ["q"])
        world.post(.pauseQueue("q"))
        #expect(world.core.hungryQueues == [], "a paused queue keeps what it has, and no broker is at fault")
        world.post(.resumeQueue("q"))
        #expect(world.core.hungryQueues == ["q"])
        world.post(.stop(.warm))
        #expect(world.core.hungryQueues == [])
    }
}
