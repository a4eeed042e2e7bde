// Learns at once that a list has changed, without taking anything from it.
import Glibc
import Ports

/// Belongs to the loop's thread. A connection of its own listens for what CLIENT TRACKING reports about the keys that
/// the working connection has read; BRPOP would take a message that no host holds for a moment.
final class RedisWake {
    private let link: RedisLink
    private let line: RedisLine
    private let changed: ([String]?) -> Void
    private var listener: Int64?
    private let isTracking: (Bool) -> Void

    private static let channel = "__redis__:invalidate"

    /// - Parameters:
    ///   - changed: keys that changed; nil: perhaps all.
    ///   - isTracking: false when the server knows no tracking: the lists must be looked at now and then.
    init(
        line: RedisLine, loop: any EventLoop, changed: @escaping ([String]?) -> Void,
        isTracking: @escaping (Bool) -> Void
    ) {
        self.line = line
        self.changed = changed
        self.isTracking = isTracking
        let inbox = Inbox()
        // Loss and refusal are reported by the working connection, which goes to the same server.
        link = RedisLink(address: line.address, loop: loop) { event in
            switch event {
            case .up: inbox.wake?.greet()
            case .down: inbox.wake?.lost()
            case .refused: break
            }
        }
        inbox.wake = self
        link.invalidated = { [weak self] keys in self?.changed(keys) }
        link.subscribed = { [weak self] _ in self?.track() }
    }

    func connect() { link.connect() }

    func close() { link.close() }

    /// Both connections have to be up; called when either comes up.
    func track() {
        guard let listener, line.isUp else { return }
        line.sendOnceBestEffort(
            ["CLIENT", "TRACKING", "OFF"].map(\.bytes), because: "the answer to the next command decides")
        line.send(["CLIENT", "TRACKING", "ON", "REDIRECT", "\(listener)"].map(\.bytes)) { [weak self] reply in
            guard let self else { return }
            isTracking(reply.errorText == nil)
            // What changed before we listened.
            changed(nil)
        }
    }

    private func greet() {
        link.send(["CLIENT".bytes, "ID".bytes]) { [weak self] reply in
            guard let self, let id = reply.integer else { return }
            listener = id
            link.subscribe(Self.channel)
        }
    }

    private func lost() {
        listener = nil
        isTracking(false)
    }

    private final class Inbox {
        weak var wake: RedisWake?
    }
}
