// Limits that all hosts of one Redis keep together: starts by time, running ones by lease. Times are the server's own.
import Glibc
public import Ports
public import TaskModel

public final class RedisLimits: SharedLimits {
    public var description: String { line.address.description }

    let line: RedisLine
    private let log: (LogLevel, String) -> Void
    private var isConnected = false

    /// Connects when it is first asked.
    /// - Parameter log: levels 0 debug … 3 error.
    public init(address: RedisAddress, loop: any EventLoop, log: @escaping (LogLevel, String) -> Void) {
        line = RedisLine(address: address, loop: loop, maxWaiting: 100_000)
        self.log = log
    }

    public func acquire(
        _ claim: PermitRequest, leaseSeconds: Double, done: @escaping (Result<LimitAnswer, StoreFailure>) -> Void
    ) {
        let words = [
            claim.holder, "\(claim.perSecond ?? 0)", "\(claim.max ?? 0)", "\(leaseSeconds)",
            "\(LimitTurns.patienceSeconds)", "\(LimitTurns.forgottenSeconds)",
        ]
        run(LimitScripts.acquire, claim, words) { answer in
            done(
                answer.map { reply in
                    let text = String(decoding: reply.bytes ?? [], as: UTF8.self)
                    if text == "full" { return .full }
                    return Double(text).map { $0 > 0 ? .due(inSeconds: $0) : .granted } ?? .full
                })
        }
    }

    public func renew(_ claims: [PermitRequest], leaseSeconds: Double, done: @escaping (StoreFailure?) -> Void) {
        var left = claims.count
        var failure: StoreFailure?
        guard left > 0 else { return done(nil) }
        for claim in claims {
            run(LimitScripts.renew, claim, [claim.holder, "\(leaseSeconds)"]) { answer in
                failure = failure ?? answer.failure
                left -= 1
                if left == 0 { done(failure) }
            }
        }
    }

    /// What cannot be released lapses.
    public func release(_ claim: PermitRequest) {
        run(LimitScripts.release, claim, [claim.holder]) { [log] answer in
            if case .failure(let failure) = answer {
                log(.warning, "Place of a limited task not given back: \(failure)")
            }
        }
    }

    public func close(done: @escaping () -> Void) {
        line.close()
        done()
    }

    private func run(
        _ script: String, _ claim: PermitRequest, _ words: [String],
        done: @escaping (Result<RedisReply, StoreFailure>) -> Void
    ) {
        connect()
        let name = "\(line.address.effectivePrefix)taskhost-limit:\(claim.name)"
        let keys = ["places", "next", "turns", "asked"].map { "\(name):\($0)".bytes }
        line.ask(["EVAL".bytes, script.bytes, "\(keys.count)".bytes] + keys + words.map(\.bytes), done: done)
    }

    private func connect() {
        guard !isConnected else { return }
        isConnected = true
        line.connect { [log] event in
            switch event {
            case .up: break
            case .down(let reason, let seconds), .refusing(let reason, let seconds):
                log(
                    .warning, "Shared limits out of reach: \(reason). Trying again in \(seconds) s; limited tasks wait."
                )
            case .refused(let failure): log(.error, "Shared limits out of reach: \(failure)")
            }
        }
    }
}

/// Keys: the places (holders by the end of their leases), the time of the next start, who waits for a place by the
/// time it began to wait, and by the time until which it is remembered.
enum LimitScripts {
    private static let clock = """
        local time = redis.call('TIME')
        local now = time[1] + time[2] / 1000000
        -- All digits: as text Lua keeps 14 of them only.
        local function exact(number) return string.format('%.6f', number) end
        local function lend(seconds)
            redis.call('ZADD', KEYS[1], exact(now + seconds), ARGV[1])
            redis.call('PEXPIRE', KEYS[1], math.ceil(seconds * 2000))
        end
        local function forget(holder)
            redis.call('ZREM', KEYS[3], holder)
            redis.call('ZREM', KEYS[4], holder)
        end

        """

    /// Arguments: holder, starts per second, most at a time (0: no limit), seconds of the lease, of patience, and after
    /// which who waits is forgotten. Answers "full" or the seconds until the next start; "0": granted.
    static let acquire =
        clock + """
            local rate, most, lease = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
            local patience, forgotten = tonumber(ARGV[5]), tonumber(ARGV[6])
            if most > 0 then
                redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', exact(now))
                if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
                    lend(lease)
                    return '0'
                end
                for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', exact(now))) do forget(gone) end
                local since = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[1]) or now)
                local before = redis.call('ZCOUNT', KEYS[3], '-inf', '(' .. exact(math.min(since, now - patience)))
                if redis.call('ZCARD', KEYS[1]) + before >= most then
                    redis.call('ZADD', KEYS[3], exact(since), ARGV[1])
                    redis.call('ZADD', KEYS[4], exact(now + forgotten), ARGV[1])
                    for key = 3, 4 do redis.call('PEXPIRE', KEYS[key], math.ceil(forgotten * 2000)) end
                    return 'full'
                end
            end
            if rate > 0 then
                local next = tonumber(redis.call('GET', KEYS[2]) or '0')
                -- Later than that: made at another rate.
                if next > now and next <= now + 1 / rate + 0.001 then return exact(math.max(next - now, 0.000001)) end
                redis.call('SET', KEYS[2], exact(now + 1 / rate), 'PX', math.ceil(1000 / rate) + 1000)
            end
            if most > 0 then
                forget(ARGV[1])
                lend(lease)
            end
            return '0'
            """

    /// Arguments: holder, seconds of the lease.
    static let renew =
        clock + """
            lend(tonumber(ARGV[2]))
            return '0'
            """

    /// Argument: holder.
    static let release =
        clock + """
            redis.call('ZREM', KEYS[1], ARGV[1])
            forget(ARGV[1])
            return '0'
            """
}
