// Sums and products, some of them slow.

import Glibc
import TaskhostSDK

struct Identity: TaskHandler {
    static let options = suite.options("identity")
    @Arg var x: JSON

    func run(_ task: TaskContext) -> JSON { x }
}

struct Add: TaskHandler {
    static let options = suite.options("add")
    @Arg var x: JSON
    @Arg var y: JSON
    @Arg var z: JSON?

    func run(_ task: TaskContext) throws -> JSON {
        let total = try sum(x, y)
        guard let z, isTruthy(z) else { return total }
        return try sum(total, z)
    }
}

struct AddNotTyped: TaskHandler {
    static let options = suite.options("add_not_typed")
    @Arg var x: JSON
    @Arg var y: JSON

    func run(_ task: TaskContext) throws -> JSON { try sum(x, y) }
}

struct AddIgnoreResult: TaskHandler {
    static let options = suite.options("add_ignore_result", ignoreResult: true)
    @Arg var x: JSON
    @Arg var y: JSON

    func run(_ task: TaskContext) throws -> JSON { try sum(x, y) }
}

struct Mul: TaskHandler {
    static let options = suite.options("mul")
    @Arg var x: JSON
    @Arg var y: JSON

    func run(_ task: TaskContext) throws -> JSON { try product(x, y) }
}

struct TSum: TaskHandler {
    static let options = suite.options("tsum")
    @Arg var nums: [JSON]

    func run(_ task: TaskContext) throws -> JSON { try sum(of: nums) }
}

struct XSum: TaskHandler {
    static let options = suite.options("xsum")
    @Arg var nums: [JSON]

    func run(_ task: TaskContext) throws -> JSON {
        try sum(of: nums.map { number in try number.elements.map { try sum(of: $0) } ?? number })
    }
}

struct DelayedSum: TaskHandler {
    static let options = suite.options("delayed_sum")
    @Arg var numbers: [JSON]
    @Arg var pause = 1.0

    enum CodingKeys: String, CodingKey {
        case numbers
        case pause = "pause_time"
    }

    func run(_ task: TaskContext) async throws -> JSON {
        try await Task.sleep(for: .seconds(pause))
        return try sum(of: numbers)
    }
}

struct DelayedSumWithSoftGuard: TaskHandler {
    static let options = suite.options("delayed_sum_with_soft_guard")
    @Arg var numbers: [JSON]
    @Arg var pause = 1.0

    enum CodingKeys: String, CodingKey {
        case numbers
        case pause = "pause_time"
    }

    func run(_ task: TaskContext) async throws -> JSON {
        do {
            try await Task.sleep(for: .seconds(pause))
            return try sum(of: numbers)
        } catch is CancellationError {
            return 0
        }
    }
}

struct Sleeping: TaskHandler {
    static let options = suite.options("sleeping")
    @Arg var i: Double
    @Named var others: [String: JSON]

    func run(_ task: TaskContext) async throws { try await Task.sleep(for: .seconds(i)) }
}

/// A model's fields are checked by the type.
struct AddParameters: Codable, Sendable {
    var x: Int
    var y: Int
}

struct AddResult: Encodable, Sendable {
    var result: Int
}

struct AddPydantic: TaskHandler {
    static let options = suite.options("add_pydantic")
    @Arg var data: AddParameters

    func run(_ task: TaskContext) -> AddResult { AddResult(result: data.x + data.y) }
}

struct AddPydanticStringAnnotations: TaskHandler {
    static let options = suite.options("add_pydantic_string_annotations")
    @Arg var data: AddParameters

    func run(_ task: TaskContext) -> AddResult { AddResult(result: data.x + data.y) }
}

struct WriteToFileAndReturnInt: TaskHandler {
    static let options = suite.options("write_to_file_and_return_int")
    @Arg var fileName: String
    @Arg var i: Int

    enum CodingKeys: String, CodingKey {
        case fileName = "file_name"
        case i
    }

    func run(_ task: TaskContext) throws -> Int {
        let file = open(fileName, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o666)
        let line = Array("\(i)\n".utf8)
        guard file >= 0, write(file, line, line.count) == line.count, close(file) == 0 else {
            throw TaskError(type: "OSError", "\(fileName): \(String(cString: strerror(errno)))")
        }
        return i
    }
}

struct PrintUnicode: TaskHandler {
    static let options = suite.options("print_unicode")
    @Arg var logMessage = "håå®ƒ valmuefrø"
    @Arg var printMessage = "hiöäüß"

    enum CodingKeys: String, CodingKey {
        case logMessage = "log_message"
        case printMessage = "print_message"
    }

    func run(_ task: TaskContext) {
        task.log(.warning, logMessage)
        print(printMessage)
    }
}
