// Starts of messages whose broker keeps no books of them: a counter each, beside the results.
public import Ports

extension RedisResults: StartLedger {
    public func lostStarts(_ name: String, done: @escaping (Result<Int, StoreFailure>) -> Void) {
        ask(["GET".bytes, startKey(name)]) { answer in
            done(answer.map { reply in reply.bytes.flatMap { Int(String(decoding: $0, as: UTF8.self)) } ?? 0 })
        }
    }

    /// Repeated after a loss of the link it may count twice; it is a message delivered before, and the link was lost.
    public func recordStart(_ name: String, keepSeconds: Double, done: @escaping (StoreFailure?) -> Void) {
        let script = "redis.call('INCR', KEYS[1]) return redis.call('EXPIRE', KEYS[1], ARGV[1])"
        ask(["EVAL".bytes, script.bytes, "1".bytes, startKey(name), "\(Int64(keepSeconds.rounded(.up)))".bytes]) {
            done($0.failure)
        }
    }

    public func takeBackStart(_ name: String) {
        let script = "if redis.call('EXISTS', KEYS[1]) == 1 then return redis.call('DECR', KEYS[1]) end return 0"
        sendBestEffort(
            ["EVAL".bytes, script.bytes, "1".bytes, startKey(name)],
            because: "one charged too many at the worst, until it expires")
    }

    public func forgetStarts(_ name: String) {
        sendBestEffort(["DEL".bytes, startKey(name)], because: "it expires")
    }

    private func startKey(_ name: String) -> [UInt8] { "\(address.effectivePrefix)taskhost-start-\(name)".bytes }
}
