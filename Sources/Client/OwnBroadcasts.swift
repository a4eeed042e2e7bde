// Broadcasts over channels that confirm nothing: heard back by ourselves, they have been sent.
import Ports
import TaskModel
import TaskhostJSON

/// On the loop's thread.
final class OwnBroadcasts {
    private let channel: any ControlChannel
    private let name: String
    private var exchange: String?
    private var awaited: [String: () -> Void] = [:]

    /// - Parameter name: of nobody else.
    init(channel: any ControlChannel, name: String) {
        self.channel = channel
        self.name = name
    }

    /// - Parameters:
    ///   - ticket: in the message's body, unique.
    ///   - done: when every listener that is there has got it, or will.
    func send(_ message: WireMessage, ticket: String, controlExchange: String, done: @escaping () -> Void) {
        if exchange == nil {
            exchange = controlExchange
            channel.open(nodeName: name, controlExchange: controlExchange) { [weak self] in self?.heard($0.message) }
        }
        awaited[ticket] = done
        channel.broadcast(message, controlExchange: controlExchange)
    }

    func close() {
        if exchange != nil { channel.close() }
        awaited = [:]
    }

    private func heard(_ message: WireMessage) {
        guard !awaited.isEmpty, let ticket = ticket(of: message) else { return }
        awaited.removeValue(forKey: ticket)?()
    }

    private func ticket(of message: WireMessage) -> String? {
        do {
            return try JSON(parsing: message.body, limits: .trusted)["ticket"]?.text
        } catch {
            return nil
        }
    }
}
