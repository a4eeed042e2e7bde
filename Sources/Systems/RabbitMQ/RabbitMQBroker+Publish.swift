// Publications: handed to the publishing connection, once answers to them can be received.
public import Ports
import TaskModel

extension RabbitMQBroker {
    public func publish(_ publication: Publication, done: @escaping (BrokerFailure?) -> Void) {
        var done = done
        if publication.delaySeconds > 0 {
            done = { [weak self, done] failure in
                if failure == nil, let self { postponed.add(publication, at: loop.clocks.wall) }
                done(failure)
            }
        }
        if isGated { gated.append((publication, done)) } else { publisher.publish(publication, done: done) }
    }

    private var isGated: Bool {
        guard stage == .idle || stage == .running else { return false }
        return apart.contains { consumer in
            if case .replies = consumer.role { !consumer.isUp } else { false }
        }
    }

    func openGate() {
        guard !gated.isEmpty, !isGated else { return }
        let ready = gated
        gated = []
        for (publication, done) in ready { publisher.publish(publication, done: done) }
    }
}
