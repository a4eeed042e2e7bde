// A cluster of beats in one thread: their clocks, the broker, who leads, and what goes wrong, all drawn from one seed.
import Ports
import TaskModel
import TaskhostJSON
import TestKit

@testable import Beat

/// Everything happens in `run`, in the order of `now`. Messages and answers take some milliseconds.
final class BeatWorld {
    struct Arrival: Equatable {
        let name: String
        let due: WallTime
        let id: String
        /// By the clock of who sent it.
        let sentAt: WallTime
    }

    struct Faults {
        var kills = 0
        var freezes = 0
        var jumps = 0
        var lostConfirms = 0
        var stops = 0
        var total: Int { kills + freezes + lostConfirms }
    }

    private struct Event {
        let time: Double
        let number: Int
        let act: () -> Void
    }

    var random: SplitMix
    /// Seconds since the start, as a clock that nobody sets counts them.
    private(set) var now = 0.0
    let start: WallTime
    private var events: [Event] = []
    private var numbers = 0
    private(set) var machines: [BeatMachine] = []

    /// What the broker took, in order.
    private(set) var arrivals: [Arrival] = []
    var faults = Faults()
    /// One in so many steps of a beat kills it; nil: none does.
    var deadlySteps: Int?
    /// One in so many confirms is lost.
    var lostConfirms: Int?

    /// Where leaders keep what they must not forget.
    var leader: BeatMachine?
    var memory: [UInt8]?
    private(set) var firstMemory: [UInt8]?

    init(seed: UInt64, start: WallTime, entries: [BeatEntry], machines count: Int) {
        random = SplitMix(state: seed)
        self.start = start
        machines = (0..<count).map { _ in BeatMachine(self, entries) }
    }

    func later(_ seconds: Double, _ act: @escaping () -> Void) {
        numbers += 1
        let event = Event(time: now + max(0, seconds), number: numbers, act: act)
        // Few wait at a time; the soonest is the last.
        let place = events.lastIndex { ($0.time, $0.number) > (event.time, event.number) }.map { $0 + 1 } ?? 0
        events.insert(event, at: place)
    }

    func run(until end: Double) {
        while let event = events.last, event.time <= end {
            events.removeLast()
            now = event.time
            event.act()
        }
        now = end
    }

    func chance(in number: Int?) -> Bool { number.map { Int.random(in: 0..<$0, using: &random) == 0 } ?? false }
    func delay() -> Double { Double.random(in: 0.001...0.05, using: &random) }

    func arrive(_ arrival: Arrival) { arrivals.append(arrival) }

    /// False: another leads.
    func store(_ bytes: [UInt8], for machine: BeatMachine) -> Bool {
        guard leader === machine else { return false }
        memory = bytes
        if firstMemory == nil { firstMemory = bytes }
        return true
    }

    /// A free seat goes to one of those that stand by.
    func fillSeat() {
        guard leader == nil else { return }
        let waiting = machines.filter { $0.wantsSeat }
        guard let next = waiting.randomElement(using: &random) else { return }
        leader = next
        next.takesSeat(memory)
    }

    /// The lease of one that does not answer runs out.
    func seatIsLost(by machine: BeatMachine) {
        later(Double.random(in: 0...8, using: &random)) { [self] in
            guard leader === machine, !machine.holdsSeat else { return }
            leader = nil
            machine.seatWasTaken()
            fillSeat()
        }
    }

    func resigned(_ machine: BeatMachine) {
        guard leader === machine else { return }
        leader = nil
        fillSeat()
    }
}
