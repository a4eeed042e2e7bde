// Tasks that kill their zygote: they are found and charged, their neighbours are neither charged nor kept from ending.
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Suspects")
struct SuspectTests {
    private func world(slots: Int, seed: UInt64 = 1) -> SimulatedWorld {
        let options = EngineOptions.usual(
            slots: slots, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        return SimulatedWorld(seed: seed, options: options)
    }

    @Test("a killer of its zygote ends as a dead letter after three charged starts, its neighbours succeed uncharged")
    func killerAmongNeighbours() {
        for seed in 1...50 as ClosedRange<UInt64> {
            let world = world(slots: 4, seed: seed)
            world.duration = 20...40
            world.kills = ["killer"]
            for number in 1...6 { world.send("good \(number)") }
            world.send("killer")
            for number in 7...12 { world.send("good \(number)") }
            world.connect()
            world.run()
            #expect(world.dead.compactMap { $0.headers["id"]?.text } == ["killer"])
            #expect(world.results.values.filter { $0 == .success }.count == 12)
            #expect(world.results["killer"] == .failure)
            // Once among others at most, thrice alone.
            #expect((3...4).contains(world.starts["killer"] ?? 0))
            let charged = world.acknowledged.filter {
                $0.headers["id"]?.text != "killer" && ($0.headers["taskhost-starts"]?.integer ?? 0) > 0
            }
            #expect(charged.isEmpty)
            #expect(world.starts.filter { $0.key != "killer" }.values.allSatisfy { $0 <= 2 })
            #expect(world.violations == [])
        }
    }

    @Test("of several suspects one starts at a time, and those behind them need not wait")
    func oneByOne() {
        let world = world(slots: 3)
        world.duration = 100...100
        world.kills = ["a", "b", "c"]
        for id in ["a", "b", "c"] { world.send(id) }
        for number in 1...20 { world.send("good \(number)") }
        world.connect()
        var mostAlone = 0
        while !world.events.isEmpty || !world.waiting.isEmpty {
            world.run(steps: 1)
            mostAlone = max(mostAlone, world.running.values.filter(\.alone).count)
        }
        #expect(mostAlone == 1)
        #expect(Set(world.dead.compactMap { $0.headers["id"]?.text }) == ["a", "b", "c"])
        #expect(world.results.values.filter { $0 == .success }.count == 20)
        #expect(world.starts.filter { $0.key.hasPrefix("good") }.values.allSatisfy { $0 == 1 })
        #expect(world.violations == [])
    }

    @Test("alone in its zygote from the first, it is charged from the first")
    func aloneFromTheFirst() {
        let world = world(slots: 1)
        world.kills = ["killer"]
        world.send("killer")
        world.send("good")
        world.connect()
        world.run()
        #expect(world.starts == ["killer": 3, "good": 1])
        #expect(world.dead.count == 1 && world.results["good"] == .success)
    }

    @Test("a stop while suspects wait gives them back uncharged")
    func stopWhileTheyWait() {
        let world = world(slots: 3)
        world.duration = 100...100
        world.kills = ["a"]
        for id in ["a", "b", "c"] { world.send(id) }
        world.connect()
        for _ in 0..<1000 where !world.running.values.contains(where: \.alone) { world.run(steps: 1) }
        world.post(.stop(.warm))
        world.run()
        #expect(world.stopped && world.violations == [])
        let given = world.waiting.map { $0.message.headers["id"]?.text ?? "" }
        #expect(Set(given).union(world.results.keys) == ["a", "b", "c"])
    }

    @Test("acknowledged early, one that was under way when its zygote died is not started again")
    func acknowledgedEarly() {
        var task = TaskOptions()
        task.acksLate = false
        let options = EngineOptions.usual(
            slots: 2, queues: [QueuePreference(declaration: QueueDeclaration(name: "q"))], nodeName: "sim@test")
        let world = SimulatedWorld(seed: 1, options: options, task: task)
        world.duration = 100...100
        world.kills = ["killer"]
        world.send("killer")
        world.send("good")
        world.connect()
        world.run()
        #expect(world.starts == ["killer": 1, "good": 1])
        #expect(world.results.values.allSatisfy { $0 == .failure })
    }

    @Test("more ids than are remembered: the oldest are forgotten, the newest are not")
    func bounded() {
        var suspects = Suspects()
        for number in 0..<(5 * Suspects.maxIDs) { suspects.accuse("\(number)", of: .host) }
        #expect(suspects.scope(of: "0") == nil)
        #expect(suspects.scope(of: "\(5 * Suspects.maxIDs - 1)") == .host)
        suspects.clear("\(5 * Suspects.maxIDs - 1)")
        #expect(suspects.scope(of: "\(5 * Suspects.maxIDs - 1)") == nil)
    }
}
