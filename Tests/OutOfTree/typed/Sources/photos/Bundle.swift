// How the tasks are done.
import PhotoTasks
import TaskhostSDK

extension Resize: TaskHandler {
    public func run(_ task: TaskContext) throws -> Size {
        guard size.width > 0 else { throw TaskError(type: "ValueError", "\(title ?? "it") has no width") }
        return Size(width: width, height: size.height * width / size.width)
    }
}

extension Check: TaskHandler {
    public func run(_ task: TaskContext) throws {
        if size.height == 0 { throw TaskError(type: "ValueError", "it has no height") }
    }
}

extension Album: TaskHandler {
    public func run(_ task: TaskContext) throws -> String {
        try task.send(.group(try sizes.map { try Signature(Resize($0, width: 10)) })).id
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("photos", version: "1.0.0") {
        Resize.self
        Check.self
        Album.self
    }.register(with: host)
}
