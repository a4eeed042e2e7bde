// The tour's tasks as a Swift program declares them.
import TaskhostClient

struct Add: TaskDeclaration {
    static let taskName = "tour.add"
    typealias Output = Int
    var x: Int
    var y: Int
}

struct Fail: TaskDeclaration {
    static let taskName = "tour.fail"
    typealias Output = Void
    var text: String
}

struct Echo<Value: Codable & Sendable>: TaskDeclaration {
    static var taskName: String { "tour.echo" }
    typealias Output = Value
    var value: Value
}

/// No object, so it has no arguments.
enum Word: String, TaskDeclaration {
    static let taskName = "tour.add"
    typealias Output = Int
    case word
}
