// What a handler's return or error means to the host.

enum Ending {
    case success([UInt8])
    case failure(type: String, module: String, message: String, arguments: [JSON]?, traceback: String?)
    case retry(Retry)
    case reject(Reject)
    case replace(Signature)
    case ignore

    /// `isStopping`: the soft limit has passed, so that a cancellation is its doing.
    init(_ error: any Error, thrownBy handler: Any.Type, isStopping: Bool) {
        switch error {
        case let error as Retry: self = .retry(error)
        case let error as Reject: self = .reject(error)
        case let error as Replace where error.signature.kind == "chain" && error.signature.tasks.isEmpty:
            self = .failure(
                type: "ImproperlyConfigured", module: "celery.exceptions",
                message: "Cannot replace with an empty chain", arguments: nil,
                traceback: "\(String(reflecting: handler)) threw Replace with an empty chain")
        case let error as Replace: self = .replace(error.signature)
        case is Ignore: self = .ignore
        case is CancellationError where isStopping:
            self = .failure(
                type: "SoftTimeLimitExceeded", module: "billiard.exceptions",
                message: "the task stopped at its soft limit", arguments: nil,
                traceback: "\(String(reflecting: handler)): stopped by its soft time limit")
        case let error as any NamedError:
            self = .failure(
                type: error.errorType, module: error.errorModule, message: error.errorMessage,
                arguments: error.errorArguments, traceback: Self.traceback(error, handler))
        default:
            self = .failure(
                type: TypeNames.written(type(of: error)), module: "taskhost.errors",
                message: String(describing: error), arguments: nil, traceback: Self.traceback(error, handler))
        }
    }

    /// Swift keeps no stack with an error; what there is to know is who threw what.
    private static func traceback(_ error: any Error, _ handler: Any.Type) -> String {
        "\(String(reflecting: handler)) threw \(String(reflecting: type(of: error))): \(error)"
    }

    func report(to link: HostLink) {
        switch self {
        case .success(let json): link.succeed(json)
        case .failure(let type, let module, let message, let arguments, let traceback):
            link.fail(type: type, module: module, message: message, arguments: arguments, traceback: traceback)
        case .retry(let retry): link.retry(retry)
        case .reject(let reject): link.reject(reject)
        case .replace(let signature): link.replace(signature.json.bytes)
        case .ignore: link.ignore()
        }
    }
}
