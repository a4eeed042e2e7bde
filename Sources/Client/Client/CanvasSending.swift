// Sends what a signature comes down to: messages, and chords announced before their headers.
import Canvas
import Ports
public import TaskModel
import TaskhostJSON

extension TaskClient {
    /// Publications go out together; only what follows an announcement waits for it.
    /// - Parameters:
    ///   - queue: how to declare the queue of this name; nil: the one for tasks that name none.
    ///   - done: nil once everything is confirmed; else the first failure, when no more follows.
    public func send(
        _ plan: SendingPlan, queue: @escaping (String?) -> QueueDeclaration,
        done: @escaping (SendFailure?) -> Void
    ) {
        guard let broker else {
            return done(.broker(BrokerFailure(.unsupported, "this client has no broker to send through")))
        }
        let joinsByLooking = store.map { $0.keepsResults && !($0 is any ChordStore) } ?? false
        let effects = joinsByLooking ? plan.effectsWithoutCounting : plan.effects
        CanvasSending(effects, broker: broker, store: store, queue: queue, done: done).advance()
    }
}

/// One sending; lives in the callbacks it waits for.
private final class CanvasSending {
    private var waiting: ArraySlice<CanvasEffect>
    private var unconfirmed = 0
    private var isAnnouncing = false
    private var failure: SendFailure?
    private let broker: any Broker
    private let store: (any ResultStore)?
    private let queue: (String?) -> QueueDeclaration
    private let done: (SendFailure?) -> Void

    init(
        _ effects: [CanvasEffect], broker: any Broker, store: (any ResultStore)?,
        queue: @escaping (String?) -> QueueDeclaration, done: @escaping (SendFailure?) -> Void
    ) {
        waiting = effects[...]
        self.broker = broker
        self.store = store
        self.queue = queue
        self.done = done
    }

    func advance() {
        // Counted as one of its own, so that callbacks within the loop do not end it.
        unconfirmed += 1
        while failure == nil, !isAnnouncing, let effect = waiting.popFirst() {
            switch effect {
            case .publish(let call): publish(call)
            case .announce(let chord): announce(chord)
            }
        }
        confirmed(nil)
    }

    private func publish(_ call: CanvasCall) {
        let destination: Publication.Destination =
            switch call.target {
            case .routed: .queue(queue(nil))
            case .queue(let name): .queue(queue(name))
            case .exchange(let name, let key): .exchange(name, routingKey: key)
            }
        unconfirmed += 1
        broker.publish(Publication(destination: destination, message: call.message)) { [self] failure in
            confirmed(failure.map(SendFailure.broker))
        }
    }

    private func announce(_ chord: ChordAnnouncement) {
        guard let store = store as? any ChordStore else {
            failure = .noChords(store: store?.description ?? "the result backend \"none\"")
            return
        }
        unconfirmed += 1
        isAnnouncing = true
        let group = chord.savedGroup(always: store.savesEveryGroup)?.bytes
        store.announceChord(chord.groupID, size: chord.size, savedGroup: group) { [self] failure in
            isAnnouncing = false
            if failure == nil { advance() }
            confirmed(failure.map(SendFailure.store))
        }
    }

    private func confirmed(_ failure: SendFailure?) {
        if self.failure == nil { self.failure = failure }
        unconfirmed -= 1
        if unconfirmed == 0 { done(self.failure) }
    }
}
