// The consuming half of the Redis broker: when to go to the server for messages, and what comes of it.
import Ports
import PullConsumer
import TaskModel
import TaskhostJSON

/// Belongs to the loop's thread.
///
/// What is held is in Redis under tags of ours, whatever becomes of the connection; so a lost one is no reason to give
/// anything up. Only when others have taken over (`Lease`) all that is held is unknown.
final class RedisConsumer {
    enum Event {
        case delivered(Delivery)
        /// Everything held is unknown from now on.
        case lost(String)
        /// A fetch was refused, in Redis' words; nil: one worked.
        case fetchRefused(String?)
        /// What is done with cannot be settled, and is sent again until it is; nil: nothing is owed any more.
        case settlingRefused(StoreFailure?)
    }

    /// Numbers that a fetch may have used, when its answer was lost.
    private struct Uncertain {
        var host: String
        var numbers: Range<UInt64>
        /// How often we looked: the lost command may run after the first time.
        var looks = 0
    }

    static let tagStart = "taskhost:"
    /// At most so many messages of a queue in one answer.
    private static let fetchLimit = 256
    /// No more messages in one answer once they have so many bytes: a backlog of large ones comes one at a time.
    private static let fetchBytes = 4 << 20

    let line: RedisLine
    let keys: RedisQueueKeys
    private let report: (Event) -> Void
    private let settler: RedisSettler
    private var pull = PullConsumer()
    private var uncertain: [Uncertain] = []
    /// As many as are read of a list at once to begin with: one, until it is known how long they are.
    private var likely = 1
    private static let mostAtOnce = 64
    /// A name for this host as long as its lease lasts.
    private(set) var host = UUIDText.random().lowercased()

    init(
        line: RedisLine, keys: RedisQueueKeys, restorer: RedisRestorer, loop: any EventLoop,
        report: @escaping (Event) -> Void
    ) {
        self.line = line
        self.keys = keys
        self.report = report
        let inbox = Inbox()
        settler = RedisSettler(line: line, keys: keys, restorer: restorer, loop: loop) { event in
            inbox.consumer?.settled(event)
        }
        inbox.consumer = self
    }

    var queues: [String] { pull.queues.map(\.name) }
    var isConsuming: Bool { pull.isConsuming }
    var heldTags: [String] { pull.heldHandles.map(tag) }

    func consume(_ queues: [String]) {
        pull.consume(queues)
        bind()
    }

    func setCredit(_ credit: Int, queue: String) { pull.setCredit(credit, queue: queue) }

    func settle(_ tag: DeliveryTag, requeue: Bool) { pull.settle(tag, requeue: requeue) }

    /// As Redis knows it; nil: no longer ours.
    func heldTag(_ tag: DeliveryTag) -> String? { pull.handle(of: tag).map(self.tag) }

    /// What of the messages we hold has started, so that others know it when we are gone: one field of one hash for
    /// each host, the numbers of its tags, spaced. A number that has been settled since does no harm, as its tag is
    /// gone. Out on the wire when this returns, unless the link is down; `done` once Redis has it.
    func recordStarts(_ tags: [DeliveryTag], done: @escaping (StoreFailure?) -> Void) {
        guard let started = pull.start(tags) else { return done(nil) }
        let text = started.reduce(into: " ") { $0 += "\($1) " }
        line.ask(["HSET", keys.starts, host, text].map(\.bytes)) { done($0.failure) }
        line.flush()
    }

    /// There may be something again.
    func look(_ queue: String? = nil) { pull.mayHaveMore(queue) }

    /// Nothing is taken any more. `done` when no delivery will follow; what is settled later still is.
    func stop(done: @escaping () -> Void) {
        pull.stop(done: done)
        finishStopping()
    }

    /// The last thing a consumer does: all that is held goes back, oldest first in line.
    func requeueAll(done: @escaping () -> Void) {
        pull.requeueAll()
        flush()
        settler.sendOwed()
        settler.finish { [line, keys, host] in
            for hash in [keys.starts, keys.served] {
                line.sendBestEffort(
                    ["HDEL", hash, host].map(\.bytes), because: "a sweep removes it when the lease is over")
            }
            line.sendBestEffort(
                ["ZREM", keys.hosts, host].map(\.bytes), because: "a lease that is not given up runs out", done: done)
        }
    }

    /// Others took over: begins again under another name.
    func lose(_ reason: String) {
        host = UUIDText.random().lowercased()
        pull.lose()
        settler.forget()
        report(.lost(reason))
    }

    func linkUp() {
        bind()
        look()
        recover()
    }

    /// Settles what was gathered, then takes what there is room for. Messages on their way back come before all others,
    /// and while what is done with cannot be settled there is no more of it to be made.
    func turnEnd() {
        flush()
        guard line.isUp, !settler.isRestoring, !settler.acknowledgesInVain,
            let batch = pull.nextFetch(limit: Self.fetchLimit)
        else { return }
        fetch(batch)
    }

    private func tag(_ number: Int64) -> String { "\(Self.tagStart)\(host):\(number)" }

    private func flush() {
        guard let settlements = pull.takeSettlements() else { return }
        settler.settle(
            acknowledged: settlements.acknowledged.map { tag($0).bytes }, requeued: settlements.requeued.map(tag))
    }

    private func settled(_ event: RedisSettler.Event) {
        switch event {
        case .refused(let failure): report(.settlingRefused(failure))
        case .settled: report(.settlingRefused(nil))
        case .restored: look()
        case .lost(let failure): lose("what is done with could not be settled: \(failure)")
        }
    }

    private func fetch(_ batch: FetchBatch) {
        let lists = RedisQueueKeys.steps.flatMap { step in
            batch.requests.map { keys.list(pull.queues[$0.queue].name, step: step) }
        }
        let names = [keys.unacked, keys.index] + lists
        var arguments = ["\(Self.tagStart)\(host):", "\(batch.numbers.lowerBound)", "\(batch.requests.count)"]
        for request in batch.requests {
            let queue = JSON.string(pull.queues[request.queue].name).bytes
            arguments += ["\(request.limit)", ",\"\",\(String(decoding: queue, as: UTF8.self))]"]
        }
        arguments += ["\(Self.fetchBytes)", "\(likely)"]
        let words = ["EVAL", BrokerScripts.take, "\(names.count)"] + names + arguments
        let asker = host
        line.send(words.map(\.bytes)) { [weak self] reply in
            guard let self else { return }
            if case .linkLost = reply { uncertain.append(Uncertain(host: asker, numbers: batch.numbers)) }
            receive(reply, batch)
            finishStopping()
        }
    }

    private func receive(_ reply: RedisReply, _ batch: FetchBatch) {
        // An error is followed by the next look within a second.
        guard let items = reply.items else {
            pull.failed(batch)
            if let text = reply.errorText { report(.fetchRefused(text)) }
            return
        }
        var batch = batch
        var refusal: String?
        var bytes = 0
        var taken: [(number: UInt64, queue: Int, message: RedisTaken)] = []
        for base in stride(from: 0, to: items.count - 2, by: 3) {
            guard let place = items[base].integer, let number = items[base + 1].integer,
                let envelope = items[base + 2].bytes
            else { continue }
            // A list of one queue that is none.
            guard place > 0, place <= batch.requests.count, number >= 0 else {
                refusal = String(decoding: envelope, as: UTF8.self)
                continue
            }
            let index = Int(place) - 1
            batch.requests[index].received += 1
            bytes += envelope.count
            taken.append((UInt64(number), batch.requests[index].queue, RedisTaken(envelope: envelope)))
        }
        if !taken.isEmpty { likely = max(1, min(Self.mostAtOnce, Self.fetchBytes / max(1, bytes / taken.count))) }
        if bytes >= Self.fetchBytes {
            for index in batch.requests.indices { batch.requests[index].isCut = true }
        }
        let isOurs = batch.link == pull.link
        pull.answered(batch)
        report(.fetchRefused(refusal))
        // Of a host that we are no more: found by a sweep. The report may have been listened to.
        if isOurs, batch.link == pull.link { hold(taken) }
    }

    private func hold(_ taken: [(number: UInt64, queue: Int, message: RedisTaken)]) {
        let tags = taken.map { pull.hold(Int64($0.number), number: $0.number, queue: $0.queue) }
        // Reported last: a listener may settle, set credit or stop at once.
        for (item, tag) in zip(taken, tags) {
            guard let tag else { continue }
            report(.delivered(item.message.delivery(tag, queue: pull.queues[item.queue].name)))
        }
        if !pull.isConsuming { flush() }
    }

    /// Finds what fetches took whose answer was lost.
    func recover() {
        let asked = uncertain
        uncertain = []
        for item in asked where item.host == host {
            let tags = item.numbers.map { tag(Int64($0)) }
            pull.searchBegins()
            line.ask((["HMGET", keys.unacked] + tags).map(\.bytes)) { [weak self] answer in
                guard let self else { return }
                pull.searchEnds()
                switch answer {
                case .success(let reply):
                    if item.host == host { found(item.numbers, reply) }
                    if item.looks == 0 {
                        uncertain.append(Uncertain(host: item.host, numbers: item.numbers, looks: 1))
                    }
                case .failure(let failure):
                    // Nobody else knows of them: looked for until there is an answer.
                    uncertain.append(item)
                    report(.fetchRefused(failure.detail))
                }
                finishStopping()
            }
        }
    }

    private func found(_ numbers: Range<UInt64>, _ reply: RedisReply) {
        var taken: [(UInt64, Int, RedisTaken)] = []
        for (number, item) in zip(numbers, reply.items ?? []) {
            guard !pull.isHeld(number: number), let entry = item.bytes, let found = RedisTaken.Entry(entry),
                let queue = pull.index(of: found.routingKey)
            else { continue }
            taken.append((number, queue, RedisTaken(envelope: found.envelope.bytes)))
        }
        hold(taken)
    }

    /// Python's clients look up where a queue's own exchange leads.
    private func bind() {
        guard line.isUp else { return }
        for queue in pull.queues {
            let member = RedisQueueKeys.binding(routingKey: queue.name, queue: queue.name).bytes
            for set in [keys.bindings(queue.name), keys.permanentBindings(queue.name)] {
                line.sendBestEffort(
                    ["SADD".bytes, set.bytes, member],
                    because: "clients need it that publish to an exchange, and doctor asks for the right")
            }
        }
    }

    private func finishStopping() {
        for done in pull.stopped() { done() }
    }

    private final class Inbox {
        weak var consumer: RedisConsumer?
    }
}
