// Trace: where a run stands among the spans of its sender.
import TaskModel

extension EngineCore {
    /// Once for each message in flight: a run that is dispatched again, since it never began, is the same one.
    mutating func placeInTrace(_ item: InFlight) {
        guard item.trace == nil else { return }
        let sender = TraceContext(headers: item.delivery.message.headers)
        guard let ratio = options.traceSampleRatio else {
            item.trace = sender.map { RunTrace(context: $0, parentSpanID: $0.spanID, isRecorded: false) }
            return
        }
        let span = randomID(digits: 16)
        if let sender {
            var own = sender
            own.spanID = span
            item.trace = RunTrace(context: own, parentSpanID: sender.spanID, isRecorded: sender.isSampled)
        } else {
            // What follows this task is to know that it is not recorded, or each task would decide for itself.
            let isSampled = Double.random(in: 0..<1, using: &random) < ratio
            let own = TraceContext(traceID: randomID(digits: 32), spanID: span, flags: isSampled ? 1 : 0)
            item.trace = RunTrace(context: own, parentSpanID: nil, isRecorded: isSampled)
        }
    }

    private mutating func randomID(digits: Int) -> String {
        (0..<digits / 16).map { _ in TraceContext.hex(max(1, random.next()), digits: 16) }.joined()
    }
}
