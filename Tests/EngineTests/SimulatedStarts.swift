// The model of who counts starts when hosts die: a broker that keeps such books, or the store.
import TaskModel

@testable import Engine

struct SimulatedStarts {
    var books = StartCounting.none
    var fencesClaims = false
    /// Tasks that kill their host instead of ending.
    var hostKillers: Set<String> = []
    /// In the store, by name.
    var counters: [String: Int] = [:]
    private var startedTags: Set<DeliveryTag> = []
    private var earlier: [DeliveryTag: Int] = [:]

    mutating func delivered(_ tag: DeliveryTag, lostStarts: Int) { earlier[tag] = lostStarts }
    mutating func started(_ tag: DeliveryTag) { startedTags.insert(tag) }

    func lost(_ tag: DeliveryTag, hostIsDead: Bool) -> Int {
        (earlier[tag] ?? 0) + (hostIsDead && startedTags.contains(tag) ? 1 : 0)
    }

    mutating func forgetTags() {
        startedTags.removeAll()
        earlier.removeAll()
    }
}

extension SimulatedWorld {
    /// Before anything is sent.
    func beginCountingStarts(_ books: StartCounting) {
        starting.books = books
        core.guardStarts(by: books, fencesClaims: starting.fencesClaims)
    }

    /// Before anything is sent.
    func fenceClaims() {
        starting.fencesClaims = true
        core.guardStarts(by: starting.books, fencesClaims: true)
    }

    func performStarts(_ action: EngineAction) {
        let asker = host
        switch action {
        case .readStarts(let name, let id):
            after(milliseconds: 0...20) { [unowned self] in
                post(.startsRead(id, starting.counters[name] ?? 0), to: asker)
            }
        case .recordStart(let id):
            // What is asked of a store is done in its order.
            if starting.books == .store { starting.counters[core.inFlight[id]?.startName ?? "", default: 0] += 1 }
            after(milliseconds: 0...20) { [unowned self] in post(.startRecorded(id), to: asker) }
        case .forgetStarts(let name): starting.counters[name] = nil
        case .takeBackStart(let name):
            starting.counters[name, default: 1] -= 1
            if starting.counters[name] == 0 { starting.counters[name] = nil }
        default: break
        }
    }
}
