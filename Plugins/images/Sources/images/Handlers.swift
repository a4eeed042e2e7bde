// The tasks.

import TaskhostSDK

/// What clients get back.
struct Report: Encodable, Sendable {
    /// The new file.
    var output: String
    var width: Int
    var height: Int
    var operations: [String]
}

struct Process: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(60), hardLimit: .seconds(75),
        doc: "Blurs, rotates, resizes, enhances a picture, in sequence; progress after each operation.")
    @Arg var path: String
    @Arg var operations: [Operation]
    @Arg var outputFolder: String?

    enum CodingKeys: String, CodingKey {
        case path, operations
        case outputFolder = "output_dir"
    }

    func run(_ task: TaskContext) throws -> Report {
        try process(path, operations, label: "processed", folder: outputFolder, task)
    }
}

struct Thumbnail: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(30), hardLimit: .seconds(40), doc: "The same picture within width x height pixels.")
    @Arg var path: String
    @Arg var width = 160
    @Arg var height: Int?
    @Arg var outputFolder: String?

    enum CodingKeys: String, CodingKey {
        case path, width, height
        case outputFolder = "output_dir"
    }

    func run(_ task: TaskContext) throws -> Report {
        let operation = Operation.thumbnail(width: width, height: height ?? width)
        return try process(path, [operation], label: "thumbnail", folder: outputFolder, task)
    }
}

struct Blur: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(30), hardLimit: .seconds(40), doc: "A Gaussian blur; sigma in pixels.")
    @Arg var path: String
    @Arg var sigma = 4.0
    @Arg var outputFolder: String?

    enum CodingKeys: String, CodingKey {
        case path, sigma
        case outputFolder = "output_dir"
    }

    func run(_ task: TaskContext) throws -> Report {
        try process(path, [.blur(sigma: sigma)], label: "blur", folder: outputFolder, task)
    }
}

struct Rotate: TaskHandler {
    static let options = TaskOptions(
        softLimit: .seconds(30), hardLimit: .seconds(40), doc: "Turns a picture clockwise.")
    @Arg var path: String
    @Arg var degrees = 90.0
    @Arg var outputFolder: String?

    enum CodingKeys: String, CodingKey {
        case path, degrees
        case outputFolder = "output_dir"
    }

    func run(_ task: TaskContext) throws -> Report {
        try process(path, [.rotate(degrees: degrees)], label: "rotate", folder: outputFolder, task)
    }
}

private struct Progress: Encodable {
    var done: Int
    var total: Int
    var operation: String
}

/// Between operations the soft limit ends the task; the file is written last, whole.
private func process(
    _ path: String, _ operations: [Operation], label: String, folder: String?, _ task: TaskContext
) throws -> Report {
    let operations = try operations.map { try $0.checked() }
    var picture = try Picture(contentsOf: path)
    for (index, operation) in operations.enumerated() {
        try task.checkStop()
        try picture.apply(operation)
        try task.state(
            "PROGRESS", Progress(done: index + 1, total: operations.count, operation: operation.name))
    }
    let output = outputPath(for: path, folder: folder, label: label, taskID: task.id)
    try picture.write(to: output)
    return Report(
        output: output, width: picture.width, height: picture.height, operations: operations.map(\.name))
}
