// A bundle: what its entry function registers.

/// A named, versioned list of tasks.
///
///     @c(taskhost_bundle_v1)
///     public func bundle(_ host: UnsafePointer<taskhost_host>) -> Int32 {
///         Bundle("images", version: "1.4.0") { Resize.self; Rotate.self }.register(with: host)
///     }
public struct TaskBundle: Sendable {
    public let name: String
    public let version: String
    private let tasks: [TaskDefinition]

    public init(_ name: String, version: String, @TaskList tasks: () -> [TaskDefinition]) {
        self.name = name
        self.version = version
        self.tasks = tasks()
    }

    /// Tells the host about every task. Returns 0, or the number the entry function must return; then the host has
    /// noted why, or the reason is on standard error.
    public func register(with host: UnsafePointer<taskhost_host>) -> Int32 {
        let refusal = describe(to: host)
        guard refusal == 0 else { return refusal }
        var entries: [TaskEntry] = []
        for task in tasks {
            let entry: TaskEntry
            do {
                entry = try task.makeEntry(name)
            } catch {
                complain("bundle \(name): \(error)")
                return 1
            }
            let refusal = entry.register(with: host)
            guard refusal == 0 else { return refusal }
            entries.append(entry)
        }
        for entry in entries {
            let refusal = entry.registerSchedules(with: host)
            guard refusal == 0 else { return refusal }
        }
        return 0
    }

    private func describe(to host: UnsafePointer<taskhost_host>) -> Int32 {
        name.withCString { name in
            version.withCString { version in
                (TASKHOST_SDK_VERSION + " swift").withCString { sdk in
                    var info = taskhost_bundle_info()
                    info.size = UInt32(MemoryLayout<taskhost_bundle_info>.size)
                    info.abi_major = UInt16(TASKHOST_ABI_MAJOR)
                    info.abi_minor = UInt16(TASKHOST_ABI_MINOR)
                    info.name = name
                    info.version = version
                    info.sdk = sdk
                    return host.pointee.describe(&info)
                }
            }
        }
    }
}

/// `TaskBundle`, where Foundation's `Bundle` isn't imported too.
public typealias Bundle = TaskBundle

/// One task type of a bundle. Made by naming the type in a bundle's braces.
public struct TaskDefinition: Sendable {
    let makeEntry: @Sendable (_ bundle: String) throws(RegistrationError) -> TaskEntry
}

@resultBuilder
public enum TaskList {
    public static func buildExpression<Handler: TaskHandler>(_ handler: Handler.Type) -> TaskDefinition
    where Handler.Output: Encodable {
        TaskDefinition { bundle throws(RegistrationError) in
            try HandlerEntry<Handler>(bundle: bundle) { try JSON(encoding: $0).bytes }
        }
    }

    /// A task without a result: clients read null.
    public static func buildExpression<Handler: TaskHandler>(_ handler: Handler.Type) -> TaskDefinition
    where Handler.Output == Void {
        TaskDefinition { bundle throws(RegistrationError) in
            try HandlerEntry<Handler>(bundle: bundle) { _ in JSON.null.bytes }
        }
    }

    public static func buildBlock(_ tasks: TaskDefinition...) -> [TaskDefinition] { tasks }
}
