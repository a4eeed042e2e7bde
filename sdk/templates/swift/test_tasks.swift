// Runs the tasks in this process, with a host that only remembers: `make test`.
import TaskhostSDK
import TaskhostTesting

@main struct Tests {
    static func main() async {
        let test = TaskTest(tasks)
        let sum = await test.run("tasks.add", 4, 6)
        precondition(sum.result == 10)

        let numbers = await test.run("tasks.count", keywords: ["to": 3])
        precondition(numbers.result == [1, 2, 3])
        precondition(numbers.states.count == 3 && numbers.states[0].hasPrefix(#"PROGRESS {"done":1,"total":3"#))

        let refused = await test.run("tasks.count", 0)
        precondition(refused.failure?.type == "ValueError")

        // Its soft limit has come, on a clock of the test's own.
        test.limit(soft: .seconds(5), hard: .seconds(10))
        test.advance(by: .seconds(6))
        let stopped = await test.run("tasks.count", 3)
        precondition(stopped.failure?.type == "SoftTimeLimitExceeded")
        print("all tests passed")
    }
}
