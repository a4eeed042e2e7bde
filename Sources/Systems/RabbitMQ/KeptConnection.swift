// An idle connection that is kept for its next user.
import Ports

/// On the loop, without waiting for the network: a broker gives up a peer that sends no heartbeats.
final class KeptConnection {
    private let loop: any EventLoop
    private var connection: AMQPConnection?
    private var timer: (any LoopTimer)?
    private let lost: (AMQPConnection) -> Void

    /// - Parameter lost: called once if the connection breaks while it is kept.
    init(_ connection: AMQPConnection, _ loop: any EventLoop, lost: @escaping (AMQPConnection) -> Void) {
        self.connection = connection
        self.loop = loop
        self.lost = lost
        arm()
    }

    deinit { timer?.cancel() }

    /// For use on another thread. It is kept no longer.
    func take() -> AMQPConnection? {
        timer?.cancel()
        defer { connection = nil }
        return connection
    }

    private func arm() {
        guard let connection else { return }
        timer = loop.schedule(afterSeconds: connection.tickSeconds) { [weak self] in self?.look() }
    }

    private func look() {
        guard let connection else { return }
        do throws(BrokerFailure) {
            guard connection.isWritable else { throw BrokerFailure(.closed, "the broker reads nothing any more") }
            // Sends a heartbeat that is due, and notices missing ones.
            while try connection.nextFrame() != nil {}
            connection.release()
            arm()
        } catch {
            self.connection = nil
            lost(connection)
        }
    }
}
