// What a running task sends: in the order of its calls, many confirmations awaited at once, and never without bound.

/// Publications go out up to a window; anything else (a chord that is announced) waits for all before it and is waited
/// for alone, so that a canvas is sent in its order.
struct Outbox {
    /// Confirmations awaited at once: enough to hide the way to a broker of some milliseconds.
    static let window = 64
    /// Beyond this nothing more is read from the task until less than half of it waits.
    static let maxWaiting = 1_024
    static let maxBytes = 4 << 20

    private var waiting: [Step] = []
    private var next = 0
    private var underWay: [UInt64: (step: Step, attempts: Int)] = [:]
    private var isAlone = false
    private var last: UInt64 = 0
    private var bytes = 0
    /// Nothing is read from the task until more of it has gone out.
    private var isHeldBack = false
    /// What its settlement begins with: the failures of what could not be sent.
    private var failures: [Step] = []

    var isEmpty: Bool { underWay.isEmpty && next == waiting.count }
    private var count: Int { waiting.count - next + underWay.count }
    private var isFull: Bool { count >= Self.maxWaiting || bytes >= Self.maxBytes }
    private var hasRoom: Bool { count < Self.maxWaiting / 2 && bytes < Self.maxBytes / 2 }

    mutating func append(_ steps: [Step]) {
        waiting += steps
        bytes += steps.reduce(0) { $0 + $1.size }
    }

    /// What may go out now, each with the number it is confirmed by.
    mutating func take() -> [(number: UInt64, step: Step)] {
        var taken: [(UInt64, Step)] = []
        while next < waiting.count, !isAlone, underWay.count < Self.window {
            let step = waiting[next]
            let isPublication = if case .publish = step { true } else { false }
            if !isPublication, !underWay.isEmpty { break }
            isAlone = !isPublication
            next += 1
            last += 1
            underWay[last] = (step, 0)
            taken.append((last, step))
        }
        if next > Self.window, next * 2 > waiting.count {
            waiting.removeFirst(next)
            next = 0
        }
        return taken
    }

    /// It is confirmed, or given up. nil: it is not awaited.
    mutating func finish(_ number: UInt64) -> Step? {
        guard let (step, _) = underWay.removeValue(forKey: number) else { return nil }
        bytes -= step.size
        isAlone = false
        return step
    }

    /// - Returns: attempts made so far; nil: it is not awaited.
    mutating func fail(_ number: UInt64) -> Int? {
        underWay[number]?.attempts += 1
        return underWay[number]?.attempts
    }

    /// True once, when nothing more is to be read from the task.
    mutating func holdsBack() -> Bool {
        guard isFull, !isHeldBack else { return false }
        isHeldBack = true
        return true
    }

    /// True once, when the task may go on.
    mutating func letsGo() -> Bool {
        guard isHeldBack, hasRoom else { return false }
        isHeldBack = false
        return true
    }

    mutating func addFailure(_ steps: [Step]) { failures += steps }

    mutating func takeFailures() -> [Step] {
        guard !failures.isEmpty else { return [] }
        defer { failures = [] }
        return failures
    }

    func step(_ number: UInt64) -> Step? { underWay[number]?.step }
}
