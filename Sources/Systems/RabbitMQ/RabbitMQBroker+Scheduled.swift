// What waits on the delay ladder for its time.
public import Ports
import TaskModel

extension RabbitMQBroker {
    /// A host tells what it has put there itself; to a client, which has put nothing there, the depth of the whole
    /// ladder is listed.
    public func scheduled(
        _ question: ScheduledQuestion, done: @escaping (Result<ScheduledMessages, BrokerFailure>) -> Void
    ) {
        let found = postponed.answer(question, at: loop.clocks.wall)
        guard question.asker == .client else { return done(.success(found)) }
        // A broker without a ladder is asked once, not for each of its levels: every miss is a line in its log.
        depths(of: [DelayLadder.entry]) { [self] answer in
            guard case .success(let top) = answer, top[DelayLadder.entry] != nil else {
                return done(answer.map { _ in ScheduledMessages(inAllQueues: 0) })
            }
            depths(of: (0...DelayLadder.top).map(DelayLadder.level)) { answer in
                done(
                    answer.map { depths in
                        var found = found
                        found.inAllQueues = depths.values.reduce(0, +)
                        return found
                    })
            }
        }
    }
}
