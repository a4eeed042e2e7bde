// Handlers of several signatures; each answers what its properties hold.

import TaskhostSDK

struct Nothing: TaskHandler {
    func run(_ task: TaskContext) -> Int { 7 }
}

struct One: TaskHandler {
    @Arg var a: Int
    func run(_ task: TaskContext) -> Int { a }
}

struct Three: TaskHandler {
    @Arg var a: Int
    @Arg var b: Int
    @Arg var c: Int
    func run(_ task: TaskContext) -> [Int] { [a, b, c] }
}

struct Scale: TaskHandler {
    @Arg var value: Int
    @Arg var factor = 3
    @Arg var label: String?
    func run(_ task: TaskContext) -> String { "\(value * factor) \(label ?? "-")" }
}

/// Of any type, which JSON's null is, too: required all the same.
struct Echo: TaskHandler {
    @Arg var value: JSON
    func run(_ task: TaskContext) -> JSON { value }
}

/// Position follows the declaration, keywords the coding keys.
struct Renamed: TaskHandler {
    @Arg var first: Int
    @Arg var second = 10
    enum CodingKeys: String, CodingKey {
        case second = "two"
        case first = "one"
    }
    func run(_ task: TaskContext) -> [Int] { [first, second] }
}

struct Collects: TaskHandler {
    @Arg var a: Int
    @Arg var b = 2
    @Rest var rest: [JSON]
    @Named var named: [String: JSON]
    func run(_ task: TaskContext) -> [JSON] {
        [.int(Int64(a)), .int(Int64(b)), .array(rest), .object(named.map { JSONMember(key: $0.key, value: $0.value) })]
    }
}

struct Rests: TaskHandler {
    @Rest var rest: [JSON]
    func run(_ task: TaskContext) -> [JSON] { rest }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    TaskBundle("arguments", version: "1.0.0") {
        Nothing.self
        One.self
        Three.self
        Scale.self
        Echo.self
        Renamed.self
        Collects.self
        Rests.self
    }.register(with: host)
}
