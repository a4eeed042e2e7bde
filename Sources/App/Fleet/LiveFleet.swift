import CLinux
// `taskhost top` at work: asks once a second, draws, obeys keys.
import Client
import Glibc
import Loop
import Ports
import TaskhostJSON

/// On the session's loop.
package final class LiveFleet {
    private let session: ClientSession
    private let terminal: RawTerminal
    private let nodes: [String]?
    private let patience: Double
    private var model = TopModel()
    private var watch: (any LoopWatch)?

    private static let pauseSeconds = 1.0

    package init(session: ClientSession, terminal: RawTerminal, nodes: [String]?, patience: Double) {
        self.session = session
        self.terminal = terminal
        self.nodes = nodes
        self.patience = patience
        model.note = "asking…"
    }

    package func begin() {
        watch = session.loop.watch(STDIN_FILENO, for: .read) { [unowned self] _ in typed() }
        draw()
        look()
    }

    private func look() {
        var replies: [String: [JSONMember]] = [:]
        for method in FleetStatus.methodsInDepth {
            let question = ControlQuestion(method, destination: nodes)
            session.ask(question, within: patience) { [weak self] answer in
                replies[method] = answer
                if replies.count == FleetStatus.methodsInDepth.count { self?.looked(replies) }
            }
        }
        // With names given, replies may come at once.
        draw()
    }

    private func looked(_ replies: [String: [JSONMember]]) {
        let fleet = FleetStatus(replies)
        model.update(fleet, at: now)
        if model.note == "asking…" || model.note == Self.noReply { model.note = "" }
        if fleet.nodes.isEmpty { model.note = Self.noReply }
        draw()
        _ = session.loop.schedule(afterSeconds: max(0.1, Self.pauseSeconds - patience)) { [weak self] in self?.look() }
        session.broker?.depths(of: model.queues.map(\.name)) { [weak self] answer in
            switch answer {
            case .success(let depths): self?.model.update(depths: depths)
            case .failure(let failure): self?.model.note = failure.detail
            }
            self?.draw()
        }
    }

    private static let noReply = "no worker replies"

    private func typed() {
        guard let keys = terminal.keys() else { return quit() }
        for key in keys {
            switch model.press(key) {
            case .nothing: break
            case .quit: return quit()
            case .tell(let questions):
                for question in questions {
                    session.ask(question, within: patience) { [weak self] in self?.answered($0) }
                }
            }
        }
        draw()
    }

    private func answered(_ replies: [JSONMember]) {
        let said = replies.map { "\($0.key): \(($0.value["ok"] ?? $0.value["error"])?.text ?? "?")" }
        model.note = said.isEmpty ? "no worker replied" : said.joined(separator: "; ")
        draw()
    }

    private func quit() {
        watch?.cancel()
        session.finish()
    }

    private func draw() {
        let size = terminal.size
        terminal.draw(TopScreen.lines(model, columns: size.columns, rows: size.rows, at: now))
    }

    private var now: Double { Double(clinux_realtime_us()) / 1e6 }
}
