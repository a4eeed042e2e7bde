// Who leads among the processes of one Redis: a key with a time to live, and the leader's memory beside it.
import Glibc
public import Ports
import TaskModel

/// The lease is a key that Redis drops by itself; only its owner's token renews it or writes the memory.
public final class RedisLeadership: Leadership {
    private let line: RedisLine
    private let loop: any EventLoop
    private let keys: [String]
    private let token = UUIDText.random()
    private var report: (LeadershipEvent) -> Void = { _ in }
    private var timer: (any LoopTimer)?
    private var holds: Instant?
    private var isAsking = false
    private var isOver = false

    /// Others take over within lease and pause: 8 s.
    private static let leaseSeconds = 6.0
    private static let pauseSeconds = 2.0
    private static let maxWaiting = 100

    public init(address: RedisAddress, loop: any EventLoop) {
        line = RedisLine(address: address, loop: loop, maxWaiting: Self.maxWaiting)
        self.loop = loop
        keys = ["taskhost-beat-leader", "taskhost-beat-memory"].map { address.keyPrefix + $0 }
    }

    public var isLeading: Bool { holds.map { now < $0 } ?? false }

    public func campaign(_ report: @escaping (LeadershipEvent) -> Void) {
        self.report = report
        line.connect { [weak self] event in
            switch event {
            case .up: self?.ask()
            // The lease runs out by itself if it lasts.
            case .down, .refusing: break
            case .refused(let failure): self?.lose(failure.detail)
            }
        }
        watch()
    }

    public func remember(_ memory: [UInt8], done: @escaping () -> Void) {
        line.ask(words(Self.rememberScript, [token.bytes, memory])) { [weak self] answer in
            switch answer {
            case .success(.integer(1)): done()
            case .success: self?.lose("another process leads")
            case .failure(let failure): self?.lose(failure.detail)
            }
        }
    }

    public func resign(done: @escaping () -> Void) {
        timer?.cancel()
        report = { _ in }
        isOver = true
        guard isLeading, line.isUp else {
            line.close()
            return done()
        }
        holds = nil
        let words = words(Self.giveUpScript, [token.bytes])
        line.sendBestEffort(words, because: "the lease runs out by itself") { [self] in
            line.close()
            done()
        }
    }

    /// The loop's clocks stand still during a turn, and a frozen process must notice at once.
    private var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private func watch() {
        timer = loop.schedule(afterSeconds: Self.pauseSeconds) { [weak self] in
            guard let self, !isOver else { return }
            if holds != nil, !isLeading { lose("Redis does not answer") }
            ask()
            watch()
        }
    }

    private func ask() {
        guard !isAsking, !isOver else { return }
        isAsking = true
        let asked = now
        let lease = "\(Int(Self.leaseSeconds * 1000))"
        line.ask(words(Self.claimScript, [token.bytes, lease.bytes])) { [weak self] answer in
            guard let self, !isOver else { return }
            isAsking = false
            switch answer {
            case .success(.array(let parts)) where !parts.isEmpty:
                let wasLeading = holds != nil
                holds = asked.advanced(bySeconds: Self.leaseSeconds)
                // Answered too late to be of use: the next question decides.
                guard isLeading else { return lose("Redis answers too slowly") }
                guard !wasLeading else { return }
                if parts.count > 1, case .bytes(let memory) = parts[1] {
                    report(.leading(memory: memory))
                } else {
                    report(.leading(memory: nil))
                }
            case .success:
                if holds != nil { lose("another process leads") }
                report(.following)
            case .failure(let failure):
                lose(failure.detail)
            }
        }
    }

    private func lose(_ reason: String) {
        holds = nil
        report(.lost(reason))
    }

    private func words(_ script: String, _ arguments: [[UInt8]]) -> [[UInt8]] {
        ["EVAL", script, "\(keys.count)"].map(\.bytes) + keys.map(\.bytes) + arguments
    }

    /// Answers a one and the memory to who leads, nothing to others.
    private static let claimScript = """
        if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
            if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {} end
            redis.call('PEXPIRE', KEYS[1], ARGV[2])
        end
        return {1, redis.call('GET', KEYS[2])}
        """

    private static let rememberScript = """
        if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[2], ARGV[2])
        return 1
        """

    private static let giveUpScript = """
        if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
        return 1
        """
}
