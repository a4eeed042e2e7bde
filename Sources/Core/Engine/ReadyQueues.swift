// What waits for a slot, and which task is next: by the queues' preference, then priority, then arrival.
import CeleryWire
import TaskModel

/// A heap per queue. Choosing among queues is a scan, of a few bytes for each: there may be thousands.
struct ReadyQueues {
    private struct Entry {
        /// Higher goes first.
        let urgency: Int
        let order: UInt64
        /// The number of its task's name.
        let kind: Int32
        let task: InFlight

        func precedes(_ other: Entry) -> Bool {
            urgency != other.urgency ? urgency > other.urgency : order < other.order
        }
    }

    private struct Lane {
        let name: String
        let share: Int?
        /// Smooth weighted round robin: grows by the share, shrinks by the sum of shares when chosen.
        var balance = 0
        var heap: [Entry] = []
    }

    private var lanes: [Lane]
    /// The kind of each lane's first; -1: the lane is empty.
    private var fronts: [Int32]
    /// Task names that have come, numbered.
    private var kinds: [String: Int32] = [:]
    private var lastKind: (name: String, number: Int32) = ("", -1)
    /// By kind: the last choice in which it was passed over.
    private var refusedIn: [UInt64] = []
    private var choices: UInt64 = 0
    private var indexByName: [String: Int]
    private var arrivals: UInt64 = 0
    private let lowestFirst: Bool
    private(set) var count = 0

    /// - Parameter lowestFirst: whether 0 is the most urgent priority.
    init(_ preferences: [QueuePreference], lowestFirst: Bool = false) {
        self.lowestFirst = lowestFirst
        lanes = preferences.map { Lane(name: $0.declaration.name, share: $0.share) }
        fronts = lanes.map { _ in -1 }
        indexByName = Dictionary(
            preferences.enumerated().map { ($0.element.declaration.name, $0.offset) }, uniquingKeysWith: { a, _ in a })
    }

    /// Served after those there are.
    mutating func addLane(_ name: String) {
        guard indexByName[name] == nil else { return }
        indexByName[name] = lanes.count
        fronts.append(-1)
        lanes.append(Lane(name: name, share: lanes.contains { $0.share != nil } ? 1 : nil))
    }

    /// - Returns: its order among those that are ready, by arrival.
    @discardableResult
    mutating func insert(_ task: InFlight) -> UInt64 {
        arrivals += 1
        putBack(task, order: arrivals)
        return arrivals
    }

    /// Where it was when it was taken.
    mutating func putBack(_ task: InFlight, order: UInt64) {
        let lane = indexByName[task.delivery.queue] ?? lanes.count - 1
        let urgency = lowestFirst ? -Int(task.message.priority) : Int(task.message.priority)
        lanes[lane].heap.append(Entry(urgency: urgency, order: order, kind: kind(of: task), task: task))
        siftUp(lane)
        noteFront(lane)
        count += 1
    }

    private mutating func kind(of task: InFlight) -> Int32 {
        let name = task.message.name
        if lastKind.name == name, lastKind.number >= 0 { return lastKind.number }
        let number = kinds[name] ?? Int32(kinds.count)
        if number == kinds.count {
            kinds[name] = number
            refusedIn.append(0)
        }
        lastKind = (name, number)
        return number
    }

    private mutating func noteFront(_ lane: Int) { fronts[lane] = lanes[lane].heap.first?.kind ?? -1 }

    /// The next one to start, if any; `admits` may pass one over: its queue is tried no further in this call, and no
    /// other task of its name.
    mutating func next(where admits: (InFlight) -> Bool) -> InFlight? {
        guard count > 0, let lane = chooseLane(where: admits) else { return nil }
        count -= 1
        defer { noteFront(lane) }
        return removeFirst(lane)
    }

    /// Rare (a consumer was lost), so a rebuild of the queue's heap is cheap enough.
    mutating func remove(_ task: InFlight) {
        for lane in lanes.indices {
            guard let index = lanes[lane].heap.firstIndex(where: { $0.task === task }) else { continue }
            lanes[lane].heap.remove(at: index)
            // A sorted array is a heap.
            lanes[lane].heap.sort { $0.precedes($1) }
            noteFront(lane)
            count -= 1
            return
        }
    }

    mutating func removeAll() -> [InFlight] {
        let all = lanes.flatMap { $0.heap.map(\.task) }
        for index in lanes.indices {
            lanes[index].heap.removeAll()
            fronts[index] = -1
        }
        count = 0
        return all
    }

    private mutating func chooseLane(where admits: (InFlight) -> Bool) -> Int? {
        var chosen: Int?
        var sum = 0
        choices += 1
        for index in fronts.indices {
            let kind = Int(fronts[index])
            guard kind >= 0, refusedIn[kind] != choices else { continue }
            guard admits(lanes[index].heap[0].task) else {
                refusedIn[kind] = choices
                continue
            }
            guard let share = lanes[index].share else {
                // Without shares the order of the list is the law.
                if chosen == nil { return index }
                continue
            }
            lanes[index].balance += share
            sum += share
            if chosen.map({ lanes[index].balance > lanes[$0].balance }) ?? true { chosen = index }
        }
        if let chosen { lanes[chosen].balance -= sum }
        return chosen
    }

    // Entries are exchanged in place and compared by their numbers: a copy of one would count its task's references.

    private mutating func siftUp(_ lane: Int) {
        lanes[lane].heap.withUnsafeMutableBufferPointer { heap in
            var child = heap.count - 1
            while child > 0 {
                let parent = (child - 1) / 2
                guard Self.precedes(heap, child, parent) else { return }
                heap.swapAt(child, parent)
                child = parent
            }
        }
    }

    private mutating func removeFirst(_ lane: Int) -> InFlight {
        lanes[lane].heap.withUnsafeMutableBufferPointer { heap in
            let size = heap.count - 1
            heap.swapAt(0, size)
            var parent = 0
            while case let left = 2 * parent + 1, left < size {
                let right = left + 1
                let best = right < size && Self.precedes(heap, right, left) ? right : left
                guard Self.precedes(heap, best, parent) else { return }
                heap.swapAt(parent, best)
                parent = best
            }
        }
        return lanes[lane].heap.removeLast().task
    }

    @inline(__always)
    private static func precedes(_ heap: UnsafeMutableBufferPointer<Entry>, _ one: Int, _ other: Int) -> Bool {
        let (urgency, others) = (heap[one].urgency, heap[other].urgency)
        return urgency != others ? urgency > others : heap[one].order < heap[other].order
    }
}
