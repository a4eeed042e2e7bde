// One answer that somebody awaits. On the loop's thread.

/// Decided once; what comes later changes nothing.
final class Reply<Value: Sendable>: PendingReply {
    private var continuation: CheckedContinuation<Value, any Error>?
    private var cleanups: [() -> Void] = []

    init(_ continuation: CheckedContinuation<Value, any Error>) { self.continuation = continuation }

    var isDecided: Bool { continuation == nil }

    func succeed(_ value: Value) { decide(.success(value)) }

    func fail(_ error: any Error) { decide(.failure(error)) }

    /// To be done once it is decided, whichever way.
    func whenDecided(_ cleanup: @escaping () -> Void) {
        if isDecided { cleanup() } else { cleanups.append(cleanup) }
    }

    private func decide(_ answer: Result<Value, any Error>) {
        guard let continuation else { return }
        self.continuation = nil
        let cleanups = cleanups
        self.cleanups = []
        for cleanup in cleanups { cleanup() }
        continuation.resume(with: answer)
    }
}

protocol PendingReply: AnyObject {
    var isDecided: Bool { get }
    func fail(_ error: any Error)
    func whenDecided(_ cleanup: @escaping () -> Void)
}
