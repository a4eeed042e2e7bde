// What waits for the broker's answers, beside the loop.
import Ports

extension RabbitMQBroker {
    /// Does work that waits on a thread, and goes on with its result on the loop.
    func inBackground<Value: Sendable>(
        _ work: @escaping @Sendable () throws(BrokerFailure) -> Value,
        done: @escaping (RabbitMQBroker, Result<Value, BrokerFailure>) -> Void
    ) {
        let post = LoopPost(loop)
        let carried = OnLoop((self, done))
        let started = OwnThread.run {
            let result: Result<Value, BrokerFailure>
            do throws(BrokerFailure) { result = .success(try work()) } catch { result = .failure(error) }
            post { carried.value.1(carried.value.0, result) }
        }
        if !started {
            post {
                carried.value.1(
                    carried.value.0, .failure(BrokerFailure(.unreachable, "the system gives no more threads")))
            }
        }
    }
}
