// How one record gets into Redis: in one step if nothing is stored under its id, else as Celery does it.
import GroupJoin
import Ports
import TaskModel

/// What Celery's backend does is `GET`, then `MULTI SETEX PUBLISH EXEC` unless that is a SUCCESS (celery-protocol.md §4.4): two
/// answers to wait for. Most tasks have nothing stored before they end.
enum FirstResult {
    /// Key and channel: KEYS[1]. Arguments: the document, then `EX` and seconds unless it never expires. Answers nil: stored and
    /// announced; else what is there, unchanged.
    static let script = """
        if redis.call('SET', KEYS[1], ARGV[1], 'NX', unpack(ARGV, 2)) then
            redis.call('PUBLISH', KEYS[1], ARGV[1])
            return false
        end
        return redis.call('GET', KEYS[1])
        """
}

extension RedisResults {
    func loadScript() {
        scriptHash = nil
        line.send(["SCRIPT".bytes, "LOAD".bytes, FirstResult.script.bytes]) { [weak self] reply in
            // Who may run no scripts, or is behind a proxy that knows none, takes Celery's way.
            self?.scriptHash = reply.bytes
        }
    }

    func begin(_ record: ResultRecord, _ key: String, _ request: RedisRequest) {
        guard let scriptHash else { return lookAndWrite(record, key, request) }
        let words = ["EVALSHA".bytes, scriptHash, "1".bytes, key.bytes, record.meta] + expiry(of: record, "EX")
        line.send(words) { [weak self] reply in
            guard let self else { return }
            if case .none = reply { return line.finish(request) }
            if case .bytes(let stored) = reply { return decide(stored, record, key, request) }
            if let text = reply.errorText {
                if text.hasPrefix("NOSCRIPT") { loadScript() }
            } else if !line.check(reply, request) {
                return
            }
            // What Celery's own commands are answered says more than an error of a script, and is what counts.
            lookAndWrite(record, key, request)
        }
    }

    private func lookAndWrite(_ record: ResultRecord, _ key: String, _ request: RedisRequest) {
        line.send(["GET".bytes, key.bytes]) { [weak self] reply in
            guard let self, line.check(reply, request) else { return }
            if case .bytes(let stored) = reply { return decide(stored, record, key, request) }
            write(record, key, request)
        }
    }

    /// A stored SUCCESS stays.
    private func decide(_ stored: [UInt8], _ record: ResultRecord, _ key: String, _ request: RedisRequest) {
        if StoredMeta.isSuccess(decoded(stored)) { line.finish(request) } else { write(record, key, request) }
    }

    /// The transaction of celery-protocol.md §4.4; a subscriber of the channel finds the key set.
    private func write(_ record: ResultRecord, _ key: String, _ request: RedisRequest) {
        let name = key.bytes
        let expiry = expiry(of: record)
        let set = expiry.isEmpty ? ["SET".bytes, name, record.meta] : ["SETEX".bytes, name] + expiry + [record.meta]
        var refused: String?
        let noting: (RedisReply) -> Void = { reply in refused = refused ?? reply.errorText }
        line.send(["MULTI".bytes], done: noting)
        line.send(set, done: noting)
        line.send(["PUBLISH".bytes, name, record.meta], done: noting)
        line.send(["EXEC".bytes]) { [weak self] reply in
            guard let self else { return }
            // The queued command's own error says more than EXEC's "aborted because of previous errors".
            guard line.check(refused.map(RedisReply.error) ?? reply, request) else { return }
            line.finish(request)
        }
    }

    /// Seconds, behind the words given; empty: it never expires.
    private func expiry(of record: ResultRecord, _ before: String...) -> [[UInt8]] {
        guard let seconds = record.expiresAfterSeconds.map({ Int64(max(0, min($0, 1e15)).rounded(.up)) }), seconds > 0
        else { return [] }
        return before.map(\.bytes) + ["\(seconds)".bytes]
    }
}
