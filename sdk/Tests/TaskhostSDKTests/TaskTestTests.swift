// The kit for unit tests of tasks, as bundle authors use it.

import TaskhostSDK
import TaskhostTesting
import Testing

private struct Greet: TaskHandler {
    static let options = TaskOptions {
        $0.doc = "Greets."
        $0.name = "greet"
    }
    @Arg var name: String
    @Arg var times = 1

    func run(_ task: TaskContext) throws -> [String] {
        guard times > 0 else { throw TaskError(type: "ValueError", "times must be positive") }
        var greetings: [String] = []
        for number in 1...times {
            try task.checkStop()
            task.progress(number, times)
            greetings.append("Hello, \(name)!")
        }
        return greetings
    }
}

@Suite("the kit for unit tests", .serialized)
struct TaskTestTests {
    private let test = TaskTest(TaskBundle("greetings", version: "1") { Greet.self })

    @Test("a task gets arguments by position and by name, and says what it did")
    func runs() async {
        let outcome = await test.run("greet", "Ada", keywords: ["times": 2])
        #expect(outcome.ending == .success && outcome.result == ["Hello, Ada!", "Hello, Ada!"])
        #expect(outcome.states.count == 2)
        #expect(await test.run("greet", "Ada", 0).failure?.message == "times must be positive")
    }

    @Test("what does not fit, and what there is not, is not run")
    func refused() async {
        #expect(await test.run("greet", "Ada", 1, 2).ending == .notRun)
        #expect(await test.run("greet", keywords: ["nmae": "Ada"]).ending == .notRun)
        #expect(await test.run("great").failure?.message == "the bundle has no task great; it has: greet")
    }

    @Test("its soft limit comes when the test says so")
    func limits() async {
        test.limit(soft: .seconds(5), hard: .seconds(10))
        test.advance(by: .seconds(4))
        #expect(await test.run("greet", "Ada").ending == .success)
        test.advance(by: .seconds(2))
        #expect(await test.run("greet", "Ada").failure?.type == "SoftTimeLimitExceeded")
    }
}
