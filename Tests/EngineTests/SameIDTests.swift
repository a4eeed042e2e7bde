// Messages of one id: copies of one task must not run twice, and a use of an id must not be taken for an earlier one.
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Messages of one id")
struct SameIDTests {
    private func world(slots: Int = 1) -> SimulatedWorld {
        let options = EngineOptions.usual(
            slots: slots, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        return SimulatedWorld(seed: 1, options: options)
    }

    /// Two messages of one id and attempt, told apart by nothing.
    private func copies(starts: Int64?, apart: Bool) -> SimulatedWorld {
        let world = world(slots: 2)
        let headers: FieldTable = starts.map { ["taskhost-starts": .int($0)] } ?? [:]
        world.send("twin", headers: headers)
        if !apart { world.send("twin", headers: headers) }
        world.connect()
        world.run()
        if apart {
            world.send("twin", headers: headers)
            world.run()
        }
        return world
    }

    @Test("two copies of one restart that come together run once")
    func copiesOfRestarts() {
        let world = copies(starts: 1, apart: false)
        #expect(world.starts["twin"] == 1 && world.acknowledged.count == 2 && world.violations == [])
    }

    @Test("a copy of a restart that comes when the other has succeeded is not run")
    func lateCopyOfARestart() {
        let world = copies(starts: 1, apart: true)
        #expect(world.starts["twin"] == 1 && world.acknowledged.count == 2 && world.violations == [])
    }

    @Test("a client may send one id twice", arguments: [true, false])
    func ownCopies(apart: Bool) { #expect(copies(starts: nil, apart: apart).starts["twin"] == 2) }

    @Test("a dead letter that is sent again outlives a lost link, though its first start was settled here")
    func deadLetterSentAgain() {
        let world = world()
        var starts = 0
        world.returns = { request in
            if request.id == "poison" { starts += 1 }
            return request.id == "poison" && starts <= 3
                ? .died(Death(cause: .signal(11))) : .success(Array("1".utf8))
        }
        world.send("poison")
        world.connect()
        world.run()
        #expect(world.dead.count == 1 && starts == 3)
        world.send("long")
        world.send("poison")
        for _ in 0..<1000 where world.core.inFlight.count < 2 { world.run(steps: 1) }
        world.breakLink()
        world.run()
        #expect(starts == 4 && world.results["poison"] == .success)
    }

    @Test("a retry is not lost because the id was used before")
    func retryOfAnIDUsedAgain() {
        let world = world()
        world.returns = { $0.retries == 0 ? .retry(RetryRequest(countdown: 0.05)) : .success(Array("1".utf8)) }
        world.send("twin")
        world.connect()
        world.run()
        world.send("twin")
        world.run()
        #expect(world.starts["twin"] == 4 && world.violations == [])
    }

    /// Without kept results nothing but the host's own memory could take one use for another.
    @Test("each use of an id comes to its own end, whatever breaks on the way", arguments: 0..<300)
    func idsUsedAgain(seed: UInt64) {
        let faults = SimulatedWorld.Faults(
            linkLoss: 0.03, hostDeath: 0.003, storeFailure: 0.05, publishFailure: 0.05, crash: 0.15, taskFailure: 0.1,
            retry: 0.3)
        let world = SimulatedWorld(seed: seed, faults: faults, keepsResults: false)
        world.connect()
        for _ in 0..<5 {
            world.faults = faults
            for number in 0..<6 { world.send("id-\(number)") }
            world.run(steps: Int.random(in: 5...200, using: &world.random))
            world.calm()
            world.run()
        }
        #expect(world.violations == [] && world.unsettled.isEmpty && world.waiting.isEmpty)
        for number in 0..<6 {
            let ends = world.finalStates["id-\(number)"]?.count ?? 0
            #expect(ends >= 5, "id-\(number) was sent 5 times and ended \(ends) times, seed \(seed)")
        }
    }
}
