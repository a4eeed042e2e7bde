// When to wake next: a binary heap ordered by deadline, then by order of scheduling.

internal import Ports

/// One scheduled call. Cancelling only marks it; the heap drops it when it surfaces.
final class ScheduledCall: LoopTimer {
    /// nil once fired or cancelled; dropping it frees what the closure holds.
    var fire: (() -> Void)?
    private weak var heap: TimerHeap?

    init(_ fire: @escaping () -> Void, heap: TimerHeap) {
        self.fire = fire
        self.heap = heap
    }

    func cancel() {
        guard fire != nil else { return }
        fire = nil
        heap?.noteCancelled()
    }
}

final class TimerHeap {
    private struct Entry {
        var deadline: UInt64
        var order: UInt64
        var call: ScheduledCall

        func isBefore(_ other: Entry) -> Bool {
            deadline != other.deadline ? deadline < other.deadline : order < other.order
        }
    }

    private var entries: [Entry] = []
    private var nextOrder: UInt64 = 0
    private var cancelled = 0

    var count: Int { entries.count }

    /// `deadline` in monotonic nanoseconds.
    func add(at deadline: UInt64, _ fire: @escaping () -> Void) -> ScheduledCall {
        let call = ScheduledCall(fire, heap: self)
        entries.append(Entry(deadline: deadline, order: nextOrder, call: call))
        nextOrder += 1
        siftUp(entries.count - 1)
        return call
    }

    /// The earliest deadline that still matters.
    func nextDeadline() -> UInt64? {
        while let first = entries.first {
            if first.call.fire != nil { return first.deadline }
            removeFirst()
            cancelled -= 1
        }
        return nil
    }

    /// Takes out the earliest call whose deadline is not after `now`.
    func popDue(_ now: UInt64) -> (() -> Void)? {
        guard let deadline = nextDeadline(), deadline <= now else { return nil }
        let call = entries[0].call
        removeFirst()
        defer { call.fire = nil }
        return call.fire
    }

    /// Timers that are always cancelled before they fire (limits of short tasks) must not pile up.
    fileprivate func noteCancelled() {
        cancelled += 1
        guard cancelled > 64, cancelled > entries.count / 2 else { return }
        entries.removeAll { $0.call.fire == nil }
        cancelled = 0
        var position = entries.count / 2
        while position > 0 {
            position -= 1
            siftDown(position)
        }
    }

    private func removeFirst() {
        let last = entries.removeLast()
        guard !entries.isEmpty else { return }
        entries[0] = last
        siftDown(0)
    }

    private func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].isBefore(entries[parent]) else { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    private func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < entries.count && entries[child].isBefore(entries[least]) {
                least = child
            }
            if least == parent { return }
            entries.swapAt(parent, least)
            parent = least
        }
    }
}
