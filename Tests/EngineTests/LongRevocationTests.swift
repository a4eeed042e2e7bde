// Revocations of tens of thousands of ids: each costs little, and a stop behind them is told in one line.
import CeleryWire
import Logging
import Ports
import Synchronization
import TaskModel
import Testing

@testable import Engine

@Suite("Long revocations")
struct LongRevocationTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test("what is kept until its task is due costs a further revocation nothing")
    func kept() {
        var revocations = Revocations()
        let begin = ContinuousClock.now
        for number in 0..<Revocations.maxIDs { revocations.keep("far-\(number)", forSeconds: 90_000, at: start) }
        for number in 0..<Revocations.maxIDs { revocations.add("near-\(number)", at: start) }
        // One beyond the bound is not kept, and not looked for each time.
        for number in 0..<Revocations.maxIDs { revocations.keep("more-\(number)", forSeconds: 90_000, at: start) }
        // Looking through all for each took many minutes.
        #expect(ContinuousClock.now - begin < .seconds(30))
        #expect(revocations.contains("far-7", at: start.advanced(bySeconds: 80_000)))
        #expect(!revocations.contains("more-7", at: start) && revocations.contains("near-7", at: start))
    }

    @Test("what was kept long enough is forgotten, and gives way to others")
    func forgotten() {
        var revocations = Revocations()
        for number in 0..<Revocations.maxIDs { revocations.keep("far-\(number)", forSeconds: 90_000, at: start) }
        revocations.keep("workflow:root", forSeconds: 90_000, at: start)
        #expect(!revocations.contains("workflow:root", at: start))
        let later = start.advanced(bySeconds: 90_001)
        revocations.keep("workflow:root", forSeconds: 90_000, at: later)
        #expect(revocations.contains("workflow:root", at: later) && !revocations.contains("far-7", at: later))
    }

    @Test("a worker that stops behind a long revocation says in one line how many are not marked")
    func stop() {
        let lines = Lines()
        let store = SilentStore()
        let loop = PostingLoop()
        let marks = RevocationMarks(store: store, loop: loop, log: lines.logger, expires: nil)
        marks.add((0..<5_000).map { "id-\($0)" })
        store.answer(.success(nil))
        loop.turn()
        #expect(store.stored.count == 100 && store.asked.count == 100)
        marks.close()
        store.answer(.failure(StoreFailure("closed")))
        loop.turn()
        marks.add(["too-late"])
        #expect(lines.all.count == 1 && lines.all[0].contains("4900 revoked tasks"))
        #expect(store.asked.isEmpty)
    }

    @Test("a store that fails is told once for a whole command, with how many it concerns")
    func failing() {
        let lines = Lines()
        let store = SilentStore()
        let loop = PostingLoop()
        let marks = RevocationMarks(store: store, loop: loop, log: lines.logger, expires: nil)
        marks.add((0..<1_000).map { "id-\($0)" })
        for _ in 0..<20 {
            store.answer(.failure(StoreFailure("away")))
            loop.turn()
        }
        #expect(lines.all.count == 1 && lines.all[0].contains("1000 revoked tasks") && lines.all[0].contains("away"))
    }
}

/// Keeps what is asked of it until it is told what to answer.
private final class SilentStore: ResultStore {
    let description = "a store"
    let replyTo: String? = nil
    private(set) var stored: [String] = []
    private(set) var asked: [(Result<[UInt8]?, StoreFailure>) -> Void] = []

    func answer(_ answer: Result<[UInt8]?, StoreFailure>) {
        let all = asked
        asked = []
        for done in all { done(answer) }
    }

    func connect(events: any ResultStoreEvents) {}
    func store(_ record: ResultRecord, done: @escaping (StoreFailure?) -> Void) {
        stored.append(record.taskID)
        done(nil)
    }
    func fetch(_ taskID: String, done: @escaping (Result<[UInt8]?, StoreFailure>) -> Void) { asked.append(done) }
    func follow(_ taskID: String, changed: @escaping ([UInt8]) -> Void) -> any ResultSubscription { Nothing() }
    func forget(_ taskID: String, done: @escaping (StoreFailure?) -> Void) { done(nil) }
    func close(done: @escaping () -> Void) { done() }

    private final class Nothing: ResultSubscription {
        func cancel() {}
    }
}

/// Timers are due at the next turn.
private final class PostingLoop: EventLoop {
    let clocks = Clocks(monotonic: Instant(nanoseconds: 1), wall: WallTime(microseconds: 1))
    private var waiting: [() -> Void] = []

    private final class Nothing: LoopWatch, LoopTimer {
        func change(to interest: Readiness) {}
        func cancel() {}
    }

    func turn() {
        let all = waiting
        waiting = []
        for work in all { work() }
    }

    func watch(
        _ descriptor: Int32, for interest: Readiness, _ ready: @escaping (Readiness) -> Void
    ) -> any LoopWatch { Nothing() }
    func schedule(afterSeconds seconds: Double, _ fire: @escaping () -> Void) -> any LoopTimer {
        waiting.append(fire)
        return Nothing()
    }
    func atTurnEnd(_ flush: @escaping () -> Void) {}
    func post(_ work: @escaping @Sendable () -> Void) { waiting.append(work) }
}

private final class Lines: Sendable {
    private let kept = Mutex<[String]>([])
    var all: [String] { kept.withLock { $0 } }
    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }
        func log(event: LogEvent) { lines.kept.withLock { $0.append("\(event.message)") } }
    }
}
