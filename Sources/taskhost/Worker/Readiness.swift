// When a worker is ready: it consumes, and hears what is broadcast to all workers.
import Ports

/// On the loop. Who shares its name with another worker is never heard on RabbitMQ, and is ready all the same.
final class Readiness {
    private let loop: any EventLoop
    private let ready: (_ isHeard: Bool) -> Void
    private var consumes = false
    private var hears = false
    /// It is ready, or will not be any more.
    private(set) var isOver = false
    private var patience: (any LoopTimer)?

    private static let patienceSeconds = 5.0

    /// - Parameter ready: called once.
    init(loop: any EventLoop, ready: @escaping (_ hears: Bool) -> Void) {
        self.loop = loop
        self.ready = ready
    }

    func consuming() {
        consumes = true
        if !hears {
            patience = loop.schedule(afterSeconds: Self.patienceSeconds) { [weak self] in self?.finish() }
        }
        check()
    }

    func hearing() {
        hears = true
        check()
    }

    /// It ends before it was ready.
    func giveUp() {
        isOver = true
        patience?.cancel()
    }

    private func check() {
        if consumes, hears { finish() }
    }

    private func finish() {
        guard !isOver else { return }
        giveUp()
        ready(hears)
    }
}
