// One registered task: from the runner's call to its ending.

/// What the C callback finds behind its user pointer. Lives as long as the process.
class TaskEntry {
    let name: String
    let signature: String
    let options: TaskOptions

    init(name: String, signature: String, options: TaskOptions) {
        self.name = name
        self.signature = signature
        self.options = options
    }

    func run(_ link: HostLink) {}
}

final class HandlerEntry<Handler: TaskHandler>: TaskEntry {
    private let parameters: Parameters
    private let encode: @Sendable (Handler.Output) throws -> [UInt8]

    init(bundle: String, encode: @escaping @Sendable (Handler.Output) throws -> [UInt8]) throws(RegistrationError) {
        let options = Handler.options
        let declared = (Handler.self as? any TaskDeclaration.Type)?.taskName
        if let declared, let other = options.name, other != declared {
            throw RegistrationError(
                "\(Handler.self) is declared as '\(declared)', but its options name it '\(other)': leave that out")
        }
        let name = declared ?? options.name ?? bundle + "." + TypeNames.snakeCased(TypeNames.written(Handler.self))
        parameters = try Parameters(of: Handler.self)
        self.encode = encode
        super.init(name: name, signature: parameters.signature(result: Handler.Output.self), options: options)
    }

    override func run(_ link: HostLink) {
        guard let arguments = link.arguments() else { return }
        let context = TaskContext(link)
        let ending: Ending
        do {
            let handler = try Handler(from: ArgumentDecoder(arguments, parameters: parameters))
            let output = try ChildLoop.shared.run(for: context) { try await handler.run(context) }
            ending = .success(try encoded(output))
        } catch {
            ending = Ending(error, thrownBy: Handler.self, isStopping: link.shouldStop)
        }
        // The runner's task is gone when this returns, while others may still hold the context.
        context.end()
        ending.report(to: link)
    }

    private func encoded(_ output: Handler.Output) throws -> [UInt8] {
        do {
            return try encode(output)
        } catch {
            throw TaskError(
                type: "EncodeError", module: "kombu.exceptions",
                "the result of \(name), a \(Handler.Output.self), can't be encoded: \(error)")
        }
    }
}
