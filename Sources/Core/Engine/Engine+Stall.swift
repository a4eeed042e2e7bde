// Watching whether messages come: consumers that a broker has lost say nothing by themselves.
import Logging
import Ports
import TaskModel

extension Engine {
    /// Messages are ready in queues of ours and slots are free, and for long nothing has been delivered.
    public var isStalled: Bool { stall.judge.isStalled }

    /// Times the consumers were recreated for that reason.
    public var consumersRecreated: Int { stall.consumersRecreated }

    struct StallWatch {
        var judge: StallJudge
        var isAsking = false
        /// Deliveries, and how many of them there were at the look before.
        var deliveries: UInt64 = 0
        var seen: UInt64 = 0
        var consumersRecreated = 0
    }

    /// From when the link is up for the first time.
    func watchForStalls() {
        guard options.stallSeconds > 0 else { return }
        stallTimer = loop.schedule(afterSeconds: options.stallSeconds / 2) { [weak self] in
            guard let self, core.life.stopping == nil else { return }
            watchForStalls()
            lookForStall()
        }
    }

    func countDelivery() {
        stall.deliveries &+= 1
        if stall.judge.isStalled { act(stall.judge.allWell(), []) }
    }

    private func lookForStall() {
        guard core.life.isLinkUp else { return stall.judge.forget() }
        let hungry = core.hungryQueues
        let before = stall.deliveries
        defer { stall.seen = before }
        guard before == stall.seen, !hungry.isEmpty else { return act(stall.judge.allWell(), []) }
        guard !stall.isAsking else { return }
        stall.isAsking = true
        broker.deliverable(in: hungry) { [weak self] answer in
            guard let self else { return }
            stall.isAsking = false
            let stillHungry = Set(core.hungryQueues)
            // A broker that cannot say what waits has another failure, which is logged elsewhere.
            guard case .success(let ready) = answer, stall.deliveries == before else { return }
            let waiting = hungry.filter { stillHungry.contains($0) && ready[$0] ?? 0 > 0 }
            let count = waiting.reduce(0) { $0 + (ready[$1] ?? 0) }
            act(stall.judge.look(ready: count, at: loop.clocks.monotonic), waiting)
        }
    }

    private func act(_ finding: StallJudge.Finding, _ queues: [String]) {
        let names = queues.joined(separator: ", ")
        switch finding {
        case .nothingNew: break
        case .stalled:
            log.warning(
                """
                Messages are ready in \(names) and slots are free, but for \(options.stallSeconds.brief) s \
                the broker has delivered none
                """,
                metadata: ["event": "stalled"])
        case .goesOn:
            stall.consumersRecreated += 1
            let reason = "messages are ready in \(names) and are not delivered"
            log.warning("Recreating the consumers: \(reason)", metadata: ["event": "consumers-recreated"])
            broker.recreateConsumers(because: reason)
        case .healed: log.info("Messages are delivered again", metadata: ["event": "stall-over"])
        }
    }
}
