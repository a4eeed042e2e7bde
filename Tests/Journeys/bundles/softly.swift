// One async task that waits to be cancelled by its soft limit and cleans up.
import TaskhostSDK

#if canImport(Glibc)
    import Glibc
#endif

struct WaitForever: TaskHandler {
    static let options = TaskOptions(name: "softly.wait", softLimit: .milliseconds(300), hardLimit: .seconds(10))
    @Arg var path: String

    func run(_ task: TaskContext) async throws -> String {
        do {
            try await Task.sleep(for: .seconds(30))
        } catch is CancellationError {
            let file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
            _ = "cleaned up\n".withCString { write(file, $0, strlen($0)) }
            close(file)
            throw CancellationError()
        }
        return "not stopped"
    }
}

@c(taskhost_bundle_v1)
public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
    Bundle("softly", version: "1.0.0") { WaitForever.self }.register(with: host)
}
