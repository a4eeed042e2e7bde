// What a broker without leases, books of starts or places of its own for delayed messages has to say.
public import TaskModel

extension Broker {
    public var countsLostStarts: Bool { false }
    public func recordStarts(_ tags: [DeliveryTag], done: @escaping (BrokerFailure?) -> Void) { done(nil) }
    public var fencesClaims: Bool { false }
    public func confirmClaim(_ tag: DeliveryTag, done: @escaping (Bool) -> Void) { done(true) }
    public func handOver(queue: String, done: @escaping (Result<Int, BrokerFailure>) -> Void) { done(.success(0)) }
}
