// How long each turn of the loop takes: while one lasts, no command is answered and no heartbeat is sent.

internal import CLinux
import Glibc

/// A turn that kept the loop for longer than it should.
public struct SlowTurn: Sendable {
    /// From its beginning, after the wait, to its end.
    public var seconds: Double
    /// Of that, the processor's time of this thread, too much by at most 0.05 s. What is missing the turn waited for:
    /// a disk, a processor, or because the process was stopped.
    public var processorSeconds: Double
    /// The work that took most of it by its name, or what was called: "3 descriptors, 1 timer".
    public var what: String

    /// Seconds a turn may take.
    public static let limitSeconds = 0.1
}

/// Belongs to the loop's thread. A turn costs one reading of the clock, the processor's time is read 20 times a second.
public final class TurnWatch {
    /// Told at the end of each turn that took longer than `SlowTurn.limitSeconds`.
    public var onSlowTurn: ((SlowTurn) -> Void)?

    private var heaviest: (what: String, nanoseconds: UInt64)?
    /// The processor's time of the thread at the end of an earlier turn.
    private var processorNanoseconds: UInt64 = 0
    private var readAt: UInt64 = 0

    /// Names are made for what takes this long alone.
    private static let worthAName: UInt64 = 20_000_000
    private static let readEvery: UInt64 = 50_000_000

    func measured(_ what: () -> String, nanoseconds: UInt64) {
        guard nanoseconds > max(Self.worthAName, heaviest?.nanoseconds ?? 0) else { return }
        heaviest = (what(), nanoseconds)
    }

    func turnEnded(begun: UInt64, descriptors: Int, timers: Int, posted: Int) {
        let now = clinux_monotonic_ns()
        let lasted = now - begun
        if now - readAt > Self.readEvery {
            let processor = Self.processor()
            // Less than before: another thread runs the loop now.
            let used = processor > processorNanoseconds ? processor - processorNanoseconds : 0
            processorNanoseconds = processor
            readAt = now
            if Double(lasted) / 1e9 > SlowTurn.limitSeconds {
                let calls = [(descriptors, "descriptor"), (timers, "timer"), (posted, "posted call")]
                    .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: ", ")
                let named = heaviest.flatMap { $0.nanoseconds * 2 >= lasted ? $0.what : nil }
                onSlowTurn?(
                    SlowTurn(
                        seconds: Double(lasted) / 1e9, processorSeconds: Double(min(used, lasted)) / 1e9,
                        what: named ?? (calls.isEmpty ? "the end of a turn" : calls)))
            }
        }
        heaviest = nil
    }

    private static func processor() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
