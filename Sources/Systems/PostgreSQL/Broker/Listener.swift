// A connection that receives the letters of some channels (LISTEN).
import Ports
import SQLRows
import TaskModel

/// Belongs to the loop's thread. What is sent while it is not connected is lost. The line fetches what is too long
/// for NOTIFY.
final class Listener {
    private let line: BrokerLine
    private let channels: [String]
    private let listening: (Bool) -> Void
    private let received: (Letter) -> Void
    private var link: PostgreSQLLink?

    private static let again = 1.0

    /// - Parameter listening: whether everything sent from now on arrives.
    init(
        line: BrokerLine, channels: [String], listening: @escaping (Bool) -> Void, received: @escaping (Letter) -> Void
    ) {
        self.line = line
        self.channels = channels
        self.listening = listening
        self.received = received
        let schema = BrokerSchema(line.address)
        let link = PostgreSQLLink(
            address: line.address, loop: line.loop, prepare: { link, done in schema.prepare(link, done: done) },
            tell: { [weak self] event in if case .up = event { self?.listen() } else { self?.listening(false) } })
        link.notified = { [weak self] notification in self?.received(notification.payload) }
        self.link = link
        link.connect()
    }

    func close() {
        link?.close()
        link = nil
    }

    private func listen() {
        let statements = channels.map { Statement(sql: "LISTEN \"\(Letter.listened($0))\"") }
        link?.transact(statements) { [weak self] answer in
            guard let self else { return }
            switch answer {
            case .done: listening(true)
            case .lost: break
            case .failed:
                // The broker at the same server tells why.
                _ = line.loop.schedule(afterSeconds: Self.again) { [weak self] in
                    if let self, link?.isUp == true { listen() }
                }
            }
        }
    }

    private func received(_ payload: String) {
        switch Letter.read(payload) {
        case .letter(let letter)?: pass(letter)
        case .stored(let id)?:
            line.ask([Letter.fetch(id)]) { [weak self] answer in
                // Who was asked and does not answer is named by who asked.
                guard case .success(let rows) = answer, let text = rows[0].first?.text(0) else { return }
                if let letter = Letter(text) { self?.pass(letter) }
            }
        case nil: break
        }
    }

    private func pass(_ letter: Letter) {
        if channels.contains(letter.channel) { received(letter) }
    }
}
