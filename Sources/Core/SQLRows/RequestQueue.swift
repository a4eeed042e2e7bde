// What waits for a database: batches over one connection, asked again after a loss, or while it is unwell.
import Ports

enum QueueEvent {
    /// Also when it has become well again.
    case up
    case down(reason: String, retryInSeconds: Double)
}

/// Belongs to the loop's thread. One batch is under way at a time; what comes meanwhile makes up the next.
final class RequestQueue<Kept: KeptResult> {
    typealias Link = any ResultLink<Kept>
    typealias Request = StoreRequest<Kept>
    typealias Group = RequestGroup<Kept>

    /// Requests that may wait; what comes beyond is refused (not permanently).
    private static var maxWaiting: Int { 100_000 }
    private static var maxWaitingBytes: Int { 256 << 20 }
    /// Of one batch: what a loss of the connection makes us repeat.
    private static var batchRequests: Int { 1_024 }
    private static var batchBytes: Int { 8 << 20 }
    private static var sickPause: ClosedRange<Double> { 0.2...5.0 }

    private let place: String
    private let loop: any EventLoop
    private let makeLink: (@escaping (LinkEvent) -> Void) -> Link
    private let tell: (QueueEvent) -> Void
    private var link: Link?
    private var waiting: [Request] = []
    private var waitingBytes = 0
    private var isUnderWay = false
    /// So many of those that wait go alone: one of them is what the server does not take.
    private var alone = 0
    /// Why nothing can be asked until the link is up.
    private var refusal: StoreFailure?
    private var sickTimer: (any LoopTimer)?
    private var sickPause = RequestQueue.sickPause.lowerBound
    private var isClosed = false

    /// - Parameter place: the server, for people.
    init(
        place: String, loop: any EventLoop, link: @escaping (@escaping (LinkEvent) -> Void) -> Link,
        tell: @escaping (QueueEvent) -> Void
    ) {
        self.place = place
        self.loop = loop
        makeLink = link
        self.tell = tell
    }

    func connect() {
        let link = makeLink { [weak self] event in self?.changed(event) }
        self.link = link
        link.connect()
    }

    func close() {
        isClosed = true
        sickTimer?.cancel()
        link?.close()
        link = nil
        giveUp(StoreFailure("The connection to \(place) was closed before it was done"))
    }

    func add(_ request: Request) {
        let failure: StoreFailure? =
            if isClosed {
                StoreFailure("The connection to \(place) is closed")
            } else if let refusal {
                refusal
            } else if waiting.count >= Self.maxWaiting || waitingBytes + request.bytes > Self.maxWaitingBytes,
                !waiting.isEmpty
            {
                StoreFailure(
                    "\(waiting.count) requests of \(waitingBytes) bytes already wait for \(place)",
                    fix: "See why it is not reachable")
            } else {
                nil
            }
        if let failure {
            _ = loop.schedule(afterSeconds: 0) { request.fail(failure) }
            return
        }
        waiting.append(request)
        waitingBytes += request.bytes
        pump()
    }

    private func pump() {
        guard let link, link.isUp, sickTimer == nil, !waiting.isEmpty, !isUnderWay else { return }
        let groups = nextBatch(min(Self.batchBytes, link.maxBytes))
        let batch = Batch(groups)
        isUnderWay = true
        link.perform(groups.map(\.work)) { [weak self] index, answer in self?.answered(batch, index, answer) }
    }

    /// The groups of one batch that have not been answered, and what has to be asked again.
    private final class Batch {
        let groups: [Group]
        var left: Int
        var again: [Request] = []
        /// What of `again` goes alone.
        var alone = 0
        var isLost = false
        var kind: SQLErrorKind?

        init(_ groups: [Group]) {
            self.groups = groups
            left = groups.count
        }
    }

    /// - Parameter maxBytes: of one statement.
    private func nextBatch(_ maxBytes: Int) -> [Group] {
        var groups: [Group] = []
        var (count, bytes) = (0, 0)
        while count < waiting.count, count < Self.batchRequests, bytes < Self.batchBytes {
            let request = waiting[count]
            let isAlone = alone > 0
            if isAlone { alone -= 1 }
            let most = isAlone ? 1 : Self.batchRequests
            if isAlone || groups.isEmpty
                || !groups[groups.count - 1].take(request, most: most, maxBytes: maxBytes)
            {
                groups.append(Group(request))
            }
            count += 1
            bytes += request.bytes
        }
        waiting.removeFirst(count)
        waitingBytes -= bytes
        return groups
    }

    private func answered(_ batch: Batch, _ index: Int, _ answer: WorkAnswer<Kept>) {
        let group = batch.groups[index]
        batch.left -= 1
        switch answer {
        case .rows(let rows): group.succeed(rows)
        case .lost:
            batch.isLost = true
            batch.again += group.requests
        case .count(let count): group.succeed([], count: count)
        case .failed(let kind): failed(group, kind, batch)
        }
        guard batch.left == 0 else { return }
        isUnderWay = false
        guard !isClosed else {
            return batch.again.forEach { $0.fail(StoreFailure("The connection to \(place) was closed")) }
        }
        waiting.insert(contentsOf: batch.again, at: 0)
        waitingBytes += batch.again.reduce(0) { $0 + $1.bytes }
        alone = batch.alone
        end(batch)
    }

    private func failed(_ group: Group, _ kind: SQLErrorKind, _ batch: Batch) {
        switch kind {
        case .contended: batch.again += group.requests
        case .passing, .reconnect:
            batch.kind = kind
            batch.again += group.requests
        case .refused(let failure): group.requests.forEach { $0.fail(failure) }
        case .unfit(let failure):
            guard group.requests.count > 1 else { return group.requests[0].fail(failure) }
            // Those that go alone come first, so what is asked again for other reasons goes alone as well.
            batch.again += group.requests
            batch.alone = batch.again.count
        }
    }

    private func end(_ batch: Batch) {
        switch batch.kind {
        case .passing(let reason)?: rest(reason)
        case .reconnect(let reason)?: link?.drop(reason)
        default:
            if !batch.isLost, sickPause > Self.sickPause.lowerBound {
                sickPause = Self.sickPause.lowerBound
                tell(.up)
            }
            pump()
        }
    }

    private func rest(_ reason: String) {
        guard sickTimer == nil else { return }
        let seconds = sickPause
        sickPause = min(sickPause * 2, Self.sickPause.upperBound)
        sickTimer = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.sickTimer = nil
            self?.pump()
        }
        tell(.down(reason: reason, retryInSeconds: seconds))
    }

    private func changed(_ event: LinkEvent) {
        switch event {
        case .up:
            refusal = nil
            sickTimer?.cancel()
            sickTimer = nil
            sickPause = Self.sickPause.lowerBound
            tell(.up)
            pump()
        case .down(let reason, let seconds): tell(.down(reason: reason, retryInSeconds: seconds))
        case .refused(let failure):
            refusal = failure
            giveUp(failure)
        }
    }

    private func giveUp(_ failure: StoreFailure) {
        let given = waiting
        waiting = []
        waitingBytes = 0
        alone = 0
        for request in given { request.fail(failure) }
    }
}
