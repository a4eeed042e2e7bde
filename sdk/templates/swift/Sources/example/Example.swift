// A bundle to start from: rename it, and see the SDK's README.

import TaskhostSDK

struct Half: TaskHandler {
    static let options = TaskOptions(doc: "Half of x.")
    @Arg var x: Double

    func run(_ task: TaskContext) async throws -> Double { x / 2 }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("example", version: "0.1.0") { Half.self }.register(with: host)
}
