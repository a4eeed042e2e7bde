// The consuming half of the Redis broker: credit, what is held, and when to go to the server.
import Foundation
import Ports
import TaskModel
import TaskhostJSON

/// Belongs to the loop's thread.
///
/// What is held is in Redis under tags of ours, whatever becomes of the connection; so a lost one is no reason to give
/// anything up. Only when others have taken over (`Lease`) all that is held is unknown.
final class RedisDesk {
    enum News {
        case delivered(Delivery)
        /// Everything held is unknown from now on.
        case lost(String)
    }

    struct Lane {
        let queue: String
        var credit = 0
        var held = 0
        /// Asked for, not answered yet.
        var asked = 0
        /// Gave less than was asked for; Redis tells us when that changes.
        var isDry = false
        var room: Int { max(0, credit - held - asked) }
    }

    /// Numbers that a trip may have used, when its answer was lost.
    private struct Uncertain {
        var host: String
        var numbers: Range<UInt64>
        /// How often we looked: the lost command may run after the first time.
        var looks = 0
    }

    static let tagStart = "taskhost:"
    /// At most so many messages in one answer.
    private static let tripLimit = 256

    let line: RedisLine
    let keys: RedisQueueKeys
    let restorer: RedisRestorer
    private let tell: (News) -> Void
    private(set) var lanes: [Lane] = []
    /// Number → lane.
    private var held: [UInt64: Int] = [:]
    private var acknowledged: [String] = []
    private var requeued: [String] = []
    private var uncertain: [Uncertain] = []
    private var nextNumber: UInt64 = 1
    private var firstLane = 0
    private(set) var link: UInt32 = 1
    /// A name for this host as long as its lease lasts.
    private(set) var host = UUID().uuidString.lowercased()
    private var tripsOut = 0
    /// Messages on their way back: they come before all others, so nothing is taken meanwhile.
    private var restores = 0
    private(set) var isConsuming = false
    private var whenStopped: [() -> Void] = []
    private var whenRestored: (() -> Void)?

    init(line: RedisLine, keys: RedisQueueKeys, restorer: RedisRestorer, tell: @escaping (News) -> Void) {
        self.line = line
        self.keys = keys
        self.restorer = restorer
        self.tell = tell
    }

    var heldTags: [String] { held.keys.map(tag) }

    func consume(_ queues: [String]) {
        for queue in queues where !lanes.contains(where: { $0.queue == queue }) { lanes.append(Lane(queue: queue)) }
        isConsuming = true
        bind()
    }

    func setCredit(_ credit: Int, queue: String) {
        guard let index = lanes.firstIndex(where: { $0.queue == queue }) else { return }
        lanes[index].credit = credit
    }

    func settle(_ tag: DeliveryTag, requeue: Bool) {
        guard tag.link == link, let lane = held.removeValue(forKey: tag.number) else { return }
        lanes[lane].held -= 1
        if requeue {
            requeued.append(self.tag(tag.number))
            lanes[lane].isDry = false
        } else {
            acknowledged.append(self.tag(tag.number))
        }
    }

    /// There may be something again.
    func look(_ queue: String? = nil) {
        for index in lanes.indices where queue == nil || lanes[index].queue == queue { lanes[index].isDry = false }
    }

    /// Nothing is taken any more. `done` when no delivery will follow; what is settled later still is.
    func stop(done: @escaping () -> Void) {
        isConsuming = false
        whenStopped.append(done)
        finishStopping()
    }

    /// The last thing a desk does: all that is held goes back, oldest first in line.
    func giveBack(done: @escaping () -> Void) {
        requeued += held.keys.sorted().map(tag)
        held.removeAll()
        whenRestored = { [line, keys, host] in
            line.ask(["ZREM".bytes, keys.hosts.bytes, host.bytes]) { _ in done() }
        }
        flush()
        finishRestoring()
    }

    /// What was rejected just before is on its way as well.
    private func finishRestoring() {
        guard restores == 0, let leave = whenRestored else { return }
        whenRestored = nil
        leave()
    }

    /// Others took over: begins anew under another name.
    func lose(_ reason: String) {
        link += 1
        host = UUID().uuidString.lowercased()
        held.removeAll()
        acknowledged.removeAll()
        requeued.removeAll()
        for index in lanes.indices { lanes[index].held = 0 }
        look()
        tell(.lost(reason))
    }

    func linkUp() {
        bind()
        look()
        recover()
    }

    /// Settles what was gathered, then takes what there is room for.
    func turnEnd() {
        flush()
        guard isConsuming, line.isUp, restores == 0 else { return }
        let wanting = (0..<lanes.count).map { ($0 + firstLane) % lanes.count }
            .filter { !lanes[$0].isDry && lanes[$0].room > 0 }
        guard !wanting.isEmpty else { return }
        firstLane = (firstLane + 1) % lanes.count
        take(from: wanting)
    }

    private func tag(_ number: UInt64) -> String { "\(Self.tagStart)\(host):\(number)" }

    private func flush() {
        if !acknowledged.isEmpty {
            let tags = acknowledged.map(\.bytes)
            acknowledged = []
            acknowledge(tags)
        }
        if !requeued.isEmpty {
            // The newest first: each goes to the very front.
            restores += 1
            restorer.restore(requeued.reversed()) { [weak self] in
                self?.restores -= 1
                self?.look()
                self?.finishRestoring()
            }
            requeued = []
        }
    }

    /// Done twice it does no harm, so it is sent again after a loss of the link.
    private func acknowledge(_ tags: [[UInt8]]) {
        let names = [keys.unacked, keys.index].map(\.bytes)
        line.ask(["EVAL".bytes, BrokerScripts.acknowledge.bytes, "2".bytes] + names + tags) { _ in }
    }

    private func take(from indices: [Int]) {
        let wishes = indices.map { (lane: $0, limit: min(lanes[$0].room, Self.tripLimit)) }
        let total = wishes.reduce(0) { $0 + $1.limit }
        let numbers = nextNumber..<(nextNumber + UInt64(total))
        nextNumber = numbers.upperBound
        for wish in wishes { lanes[wish.lane].asked += wish.limit }
        let lists = RedisQueueKeys.steps.flatMap { step in
            wishes.map { keys.list(lanes[$0.lane].queue, step: step) }
        }
        let names = [keys.unacked, keys.index] + lists
        var arguments = ["\(Self.tagStart)\(host):", "\(numbers.lowerBound)", "\(wishes.count)"]
        for wish in wishes {
            let queue = JSON.string(lanes[wish.lane].queue).bytes
            arguments += ["\(wish.limit)", ",\"\",\(String(decoding: queue, as: UTF8.self))]"]
        }
        let words = ["EVAL", BrokerScripts.take, "\(names.count)"] + names + arguments
        tripsOut += 1
        let trip = (host: host, link: link)
        line.send(words.map(\.bytes)) { [weak self] reply in
            guard let self else { return }
            tripsOut -= 1
            for wish in wishes { lanes[wish.lane].asked -= wish.limit }
            if case .linkLost = reply { uncertain.append(Uncertain(host: trip.host, numbers: numbers)) }
            receive(reply, wishes, isOurs: trip.link == link)
            finishStopping()
        }
    }

    private func receive(_ reply: RedisReply, _ wishes: [(lane: Int, limit: Int)], isOurs: Bool) {
        // An error (loading, out of memory) is followed by the next look within a second.
        guard let items = reply.items else {
            for wish in wishes { lanes[wish.lane].isDry = true }
            return
        }
        var counts = [Int](repeating: 0, count: wishes.count)
        var taken: [(number: UInt64, lane: Int, envelope: [UInt8])] = []
        for base in stride(from: 0, to: items.count - 2, by: 3) {
            guard let place = items[base].integer, let number = items[base + 1].integer,
                let envelope = items[base + 2].bytes
            else { continue }
            counts[Int(place) - 1] += 1
            taken.append((UInt64(number), wishes[Int(place) - 1].lane, envelope))
        }
        for (wish, count) in zip(wishes, counts) where count < wish.limit { lanes[wish.lane].isDry = true }
        // Of a host that we are no more: found by a sweep.
        guard isOurs else { return }
        hold(taken.map { ($0.number, $0.lane, RedisTaken(envelope: $0.envelope)) })
    }

    private func hold(_ taken: [(number: UInt64, lane: Int, message: RedisTaken)]) {
        guard isConsuming else {
            requeued += taken.map { tag($0.number) }
            return flush()
        }
        for item in taken {
            held[item.number] = item.lane
            lanes[item.lane].held += 1
        }
        // Told last: a listener may settle, set credit or stop at once.
        let epoch = link
        for item in taken {
            let tag = DeliveryTag(link: epoch, number: item.number)
            tell(.delivered(item.message.delivery(tag, queue: lanes[item.lane].queue)))
        }
    }

    /// Finds what trips took whose answer was lost.
    func recover() {
        let asked = uncertain
        uncertain = []
        for item in asked where item.host == host {
            let tags = item.numbers.map(tag)
            tripsOut += 1
            line.ask((["HMGET", keys.unacked] + tags).map(\.bytes)) { [weak self] answer in
                guard let self else { return }
                tripsOut -= 1
                if case .success(let reply) = answer, item.host == host { found(item.numbers, reply) }
                if item.looks == 0 { uncertain.append(Uncertain(host: item.host, numbers: item.numbers, looks: 1)) }
                finishStopping()
            }
        }
    }

    private func found(_ numbers: Range<UInt64>, _ reply: RedisReply) {
        var taken: [(UInt64, Int, RedisTaken)] = []
        for (number, item) in zip(numbers, reply.items ?? []) {
            guard held[number] == nil, let entry = item.bytes, let found = RedisTaken.Entry(entry),
                let lane = lanes.firstIndex(where: { $0.queue == found.routingKey })
            else { continue }
            taken.append((number, lane, RedisTaken(envelope: found.envelope.bytes)))
        }
        hold(taken)
    }

    /// Python's clients look up where a queue's own exchange leads.
    private func bind() {
        guard line.isUp else { return }
        for lane in lanes {
            let member = RedisQueueKeys.binding(routingKey: lane.queue, queue: lane.queue).bytes
            for set in [keys.bindings(lane.queue), keys.permanentBindings(lane.queue)] {
                line.ask(["SADD".bytes, set.bytes, member]) { _ in }
            }
        }
    }

    private func finishStopping() {
        guard !isConsuming, tripsOut == 0 else { return }
        let done = whenStopped
        whenStopped = []
        for call in done { call() }
    }
}
