// Starts of messages whose broker keeps no books of them: a counter each, beside the results, as long as memcached keeps it.
public import Ports
import TaskModel

extension MemcachedResults: StartLedger {
    public func lostStarts(_ name: String, done: @escaping (Result<Int, StoreFailure>) -> Void) {
        let key = startKey(name)
        read([key]) { answer in
            done(answer.map { found in found[key].flatMap { Int(String(decoding: $0.value, as: UTF8.self)) } ?? 0 })
        }
    }

    /// Repeated after a loss of the link it may count twice; it is a message delivered before, and the link was lost.
    public func recordStart(_ name: String, keepSeconds: Double, done: @escaping (StoreFailure?) -> Void) {
        let key = startKey(name)
        // A name that makes no key has no counter.
        guard MemcachedKey.isValid(key) else {
            _ = loop.schedule(afterSeconds: 0) { done(nil) }
            return
        }
        let expires = expiry(keepSeconds)
        askLine(.store(.add, key, Array("1".utf8), expires: expires, version: nil)) { [self] answer in
            guard case .success(let reply) = answer, reply.word != "STORED" else { return done(answer.failure) }
            inTurn([[.increment(key)], [.touch(key, expires: expires)]], done: done)
        }
    }

    public func takeBackStart(_ name: String) {
        sendBestEffort(.decrement(startKey(name)), because: "one charged too many at the worst, until it expires")
    }

    public func forgetStarts(_ name: String) { sendBestEffort(.delete(startKey(name)), because: "it expires") }

    /// - Parameter reason: why nothing depends on it.
    private func sendBestEffort(_ command: MemcachedCommand, because reason: StaticString) {
        change([command]) { _ in }  // ignored by name
    }

    private func startKey(_ name: String) -> String { "\(address.effectivePrefix)taskhost-start-\(name)" }
}
