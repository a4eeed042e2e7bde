// example - tasks to start from. `taskhost dev` builds and serves them; the SDK's README says what else there is.
import TaskhostSDK

struct Add: TaskHandler {
    static let options = TaskOptions(name: "tasks.add", doc: "The sum of two whole numbers.")
    @Arg var x: Int
    @Arg var y: Int

    func run(_ task: TaskContext) -> Int { x + y }
}

struct Count: TaskHandler {
    static let options = TaskOptions(
        name: "tasks.count", softLimit: .seconds(5), hardLimit: .seconds(10), doc: "Counts, and shows how far it is.")
    @Arg var to = 3

    func run(_ task: TaskContext) async throws -> [Int] {
        guard to > 0 else { throw TaskError(type: "ValueError", "to must be positive") }
        var numbers: [Int] = []
        for number in 1...to {
            try await Task.sleep(for: .milliseconds(1))  // ends by itself at the soft limit
            numbers.append(number)
            task.progress(number, to)
        }
        return numbers
    }
}

let tasks = TaskBundle("example", version: "0.1.0") {
    Add.self
    Count.self
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 { tasks.register(with: host) }
