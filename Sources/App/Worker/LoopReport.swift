// Says when a turn of the loop took too long, and with what: few lines, however often it happens.
import Logging
import Loop
import TaskModel

final class LoopReport {
    private let log: Logger
    private let loop: EpollLoop
    private var lastSaid: Instant?
    private var unsaid = 0
    /// Turns that took too long so far.
    private(set) var count = 0
    /// The longest of them in seconds; 0: there was none.
    private(set) var longest = 0.0
    /// The most that one of them computed, in seconds.
    private(set) var longestComputing = 0.0

    private static let pause = 10.0

    init(loop: EpollLoop, log: Logger) {
        self.loop = loop
        self.log = log
        loop.turnWatch.onSlowTurn = { [weak self] in self?.note($0) }
    }

    private func note(_ turn: SlowTurn) {
        count += 1
        longest = max(longest, turn.seconds)
        longestComputing = max(longestComputing, turn.processorSeconds)
        // Of the turn's beginning; the next one may begin within the pause all the same.
        let now = loop.clocks.monotonic.advanced(bySeconds: turn.seconds)
        if let lastSaid, now.seconds(since: lastSaid) < Self.pause {
            unsaid += 1
            return
        }
        lastSaid = now
        let more = unsaid > 0 ? " (\(unsaid) more since the last such line)" : ""
        unsaid = 0
        // Waiting for a processor on a crowded machine is not ours to mend.
        let level = turn.processorSeconds > SlowTurn.limitSeconds ? Logger.Level.warning : .info
        log.log(
            level: level,
            """
            the worker was busy for \(Self.text(turn.seconds)) s with \(turn.what), \
            \(Self.text(turn.processorSeconds)) s of it computing; nothing else was answered meanwhile\(more)
            """,
            metadata: [
                "event": "slow_turn", "seconds": .stringConvertible(turn.seconds), "what": "\(turn.what)",
                "computing_seconds": .stringConvertible(turn.processorSeconds),
            ])
    }

    /// Hundredths.
    private static func text(_ seconds: Double) -> String {
        let hundredths = Int((seconds * 100).rounded())
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
