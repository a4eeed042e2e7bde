// What threads beside the loop may hand to it.
import Ports

/// The one call of the loop that other threads may use.
struct LoopPost: @unchecked Sendable {
    private let loop: any EventLoop
    init(_ loop: any EventLoop) { self.loop = loop }

    func callAsFunction(_ work: @escaping @Sendable () -> Void) { loop.post(work) }
}

/// Carries something confined to the loop's thread through a closure that ends up there again.
struct OnLoop<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
