// Who waits for which result, in stores where nothing tells of a change that Celery writes: they are looked at again and
// again.

/// Belongs to the loop's thread. One question for all that are followed; soon at first, later twice a second, as
/// Celery's clients look.
/// - Parameter Shown: what the store keeps of a result.
public final class ChangeFollowers<Shown> {
    public struct Seen {
        public var taskID: String
        /// Of what was shown last; empty: nothing was.
        public var version: String
    }

    public struct Change {
        public var taskID: String
        public var shown: Shown
        public var version: String

        public init(taskID: String, shown: Shown, version: String) {
            self.taskID = taskID
            self.shown = shown
            self.version = version
        }
    }

    private final class Follower: ResultSubscription {
        let taskID: String
        let changed: (Shown) -> Void
        var version = ""
        private weak var home: ChangeFollowers?

        init(_ taskID: String, home: ChangeFollowers, changed: @escaping (Shown) -> Void) {
            self.taskID = taskID
            self.home = home
            self.changed = changed
        }

        func cancel() { home?.remove(self) }
    }

    private let loop: any EventLoop
    /// Answers those whose version is another; nil: it could not be asked.
    private let look: ([Seen], @escaping ([Change]?) -> Void) -> Void
    private var byTask: [String: [Follower]] = [:]
    private var timer: (any LoopTimer)?
    private var isLooking = false
    private var looksAtOnce = false
    private var pause = ChangeFollowers.pauses.lowerBound

    private static var pauses: ClosedRange<Double> { 0.02...0.5 }

    public init(loop: any EventLoop, look: @escaping ([Seen], @escaping ([Change]?) -> Void) -> Void) {
        self.loop = loop
        self.look = look
    }

    public func add(_ taskID: String, _ changed: @escaping (Shown) -> Void) -> any ResultSubscription {
        let follower = Follower(taskID, home: self, changed: changed)
        byTask[taskID, default: []].append(follower)
        pause = Self.pauses.lowerBound
        lookLater(0)
        return follower
    }

    public func close() {
        timer?.cancel()
        timer = nil
        byTask.removeAll()
    }

    private func lookLater(_ seconds: Double) {
        guard !isLooking else {
            looksAtOnce = looksAtOnce || seconds == 0
            return
        }
        timer?.cancel()
        timer = loop.schedule(afterSeconds: seconds) { [weak self] in self?.lookNow() }
    }

    private func lookNow() {
        timer = nil
        guard !byTask.isEmpty else { return }
        isLooking = true
        looksAtOnce = false
        // Of several followers of one task the one that has seen least.
        let seen = byTask.map { id, followers in
            Seen(taskID: id, version: Set(followers.map(\.version)).count == 1 ? followers[0].version : "")
        }
        look(seen) { [weak self] in self?.looked($0) }
    }

    private func looked(_ changes: [Change]?) {
        isLooking = false
        pause = min(pause * 1.5, Self.pauses.upperBound)
        for change in changes ?? [] {
            for follower in byTask[change.taskID] ?? [] where follower.version != change.version {
                // One that was cancelled by another's callback is called no more.
                guard byTask[change.taskID]?.contains(where: { $0 === follower }) == true else { continue }
                follower.version = change.version
                pause = Self.pauses.lowerBound
                follower.changed(change.shown)
            }
        }
        guard !byTask.isEmpty else { return }
        lookLater(looksAtOnce ? 0 : pause)
    }

    private func remove(_ follower: Follower) {
        byTask[follower.taskID]?.removeAll { $0 === follower }
        guard byTask[follower.taskID]?.isEmpty ?? false else { return }
        byTask[follower.taskID] = nil
        guard byTask.isEmpty else { return }
        timer?.cancel()
        timer = nil
    }
}
