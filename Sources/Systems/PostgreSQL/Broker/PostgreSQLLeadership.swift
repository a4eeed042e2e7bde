// Who leads among the processes of one database: a row with a lease by the server's clock, and the leader's memory in it.
import Glibc
public import Ports
import SQLRows
import TaskModel

public final class PostgreSQLLeadership: Leadership {
    private let line: BrokerLine
    private let token = UUIDText.random()
    private var user: BrokerLine.User?
    private var report: (LeadershipEvent) -> Void = { _ in }
    private var timer: (any LoopTimer)?
    /// Until when the lease holds, by a clock that cannot be set; nil: not ours.
    private var holds: Instant?
    private var isAsking = false
    private var isOver = false

    /// Others take over within lease and pause: 8 s.
    private static let leaseSeconds = 6.0
    private static let pauseSeconds = 2.0

    init(line: BrokerLine) { self.line = line }

    public var isLeading: Bool { holds.map { now < $0 } ?? false }

    public func campaign(_ report: @escaping (LeadershipEvent) -> Void) {
        self.report = report
        user = line.open { [weak self] event in
            switch event {
            case .up: self?.ask()
            // The lease runs out by itself if it lasts.
            case .down, .unwell: break
            case .refused(let failure): self?.lose(failure.detail)
            }
        }
        watch()
    }

    public func remember(_ memory: [UInt8], done: @escaping () -> Void) {
        line.ask([LeaderRow.remember(memory, token)]) { [weak self] answer in
            switch answer {
            case .success(let rows): if rows[0].changed == 1 { done() } else { self?.lose("another process leads") }
            case .failure(let failure): self?.lose(failure.detail)
            }
        }
    }

    public func resign(done: @escaping () -> Void) {
        timer?.cancel()
        report = { _ in }
        isOver = true
        let leave = { [self] in
            line.close(user)
            user = nil
            done()
        }
        guard isLeading, line.isUp else { return leave() }
        holds = nil
        line.askBestEffort([LeaderRow.giveUp(token)], because: "the lease runs out by itself", done: leave)
    }

    /// The loop's clocks stand still during a turn, and a frozen process must notice at once.
    private var now: Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    private func watch() {
        timer = line.loop.schedule(afterSeconds: Self.pauseSeconds) { [weak self] in
            guard let self, !isOver else { return }
            if holds != nil, !isLeading { lose("PostgreSQL does not answer") }
            ask()
            watch()
        }
    }

    private func ask() {
        guard !isAsking, !isOver else { return }
        isAsking = true
        let asked = now
        line.ask([LeaderRow.claim(token, seconds: Self.leaseSeconds)]) { [weak self] answer in
            guard let self, !isOver else { return }
            isAsking = false
            switch answer {
            case .success(let rows): if let row = rows[0].first { lead(row, asked) } else { follow() }
            case .failure(let failure): lose(failure.detail)
            }
        }
    }

    private func lead(_ row: [[UInt8]?], _ asked: Instant) {
        let wasLeading = holds != nil
        // Counted from before the question: others count from when it was answered.
        holds = asked.advanced(bySeconds: Self.leaseSeconds)
        // Answered too late to be of use: the next question decides.
        guard isLeading else { return lose("PostgreSQL answers too slowly") }
        if !wasLeading { report(.leading(memory: row.first.flatMap { $0 })) }
    }

    private func follow() {
        if holds != nil { lose("another process leads") }
        report(.following)
    }

    private func lose(_ reason: String) {
        holds = nil
        report(.lost(reason))
    }
}

/// The one row of the table `leader`.
private enum LeaderRow {
    /// Answers the memory if it is ours now, else nothing.
    static func claim(_ token: String, seconds: Double) -> Statement {
        Statement(
            sql: """
                INSERT INTO taskhost.leader AS known (one, token, lease_until)
                VALUES (true, $1, clock_timestamp() + make_interval(secs => $2))
                ON CONFLICT (one) DO UPDATE SET token = EXCLUDED.token, lease_until = EXCLUDED.lease_until
                WHERE known.token = EXCLUDED.token OR known.lease_until < clock_timestamp() RETURNING memory
                """, parameters: [.text(token), .double(seconds)])
    }

    static func remember(_ memory: [UInt8], _ token: String) -> Statement {
        Statement(
            sql: "UPDATE taskhost.leader SET memory = $2 WHERE token = $1", parameters: [.text(token), .bytes(memory)])
    }

    static func giveUp(_ token: String) -> Statement {
        Statement(
            sql: "UPDATE taskhost.leader SET lease_until = '-infinity' WHERE token = $1", parameters: [.text(token)])
    }
}
