// One connection to PostgreSQL, kept up: connect, make the tables; after a loss again, with back-off and jitter.
import CPostgreSQL
import Ports
import SQLRows
import TaskModel

/// Belongs to the loop's thread.
final class PostgreSQLLink: LookLink {
    let address: PostgreSQLAddress
    private let loop: any EventLoop
    private let tell: (LinkEvent) -> Void
    /// What is to be done over a new connection before it counts as up; calls back with nil, or why it cannot be used.
    private let prepare: (PostgreSQLLink, @escaping (ServerError?) -> Void) -> Void
    /// Called for what we LISTEN to.
    var notified: (Notification) -> Void = { _ in }
    private var wire: Wire?
    /// Connected, as far as libpq is concerned.
    private var isPipelining = false
    private var watch: (any LoopWatch)?
    /// Asked, in order, each waiting for its answer.
    private var asked: [Question] = []
    private lazy var life = LinkLife(
        loop: loop, address: "\(address)", connect: { [weak self] in self?.connect() }, tell: tell)
    private lazy var silence = SilenceWatch(loop: loop) { [weak self] reason in self?.drop(reason) }
    var isUp: Bool { life.isUp }

    private struct Question {
        let done: (StatementAnswer) -> Void
        /// Its transaction ends with it.
        let endsTransaction: Bool
        var answer: StatementAnswer?
    }

    var serverProcess: Int32? { wire?.serverProcess }

    init(
        address: PostgreSQLAddress, loop: any EventLoop,
        prepare: @escaping (PostgreSQLLink, @escaping (ServerError?) -> Void) -> Void,
        tell: @escaping (LinkEvent) -> Void
    ) {
        self.address = address
        self.loop = loop
        self.prepare = prepare
        self.tell = tell
    }

    func connect() {
        guard wire == nil, !life.isClosed else { return }
        life.begins()
        lookUp(address.names[...], [:], life.attempt)
    }

    /// libpq would wait for the name server.
    private func lookUp(_ names: ArraySlice<String>, _ found: [String: [String]], _ number: Int) {
        guard let name = names.first else { return begin(found) }
        HostLookup.resolve(name, on: loop) { [weak self] answer in
            guard let self, number == life.attempt, !life.isClosed else { return }
            var found = found
            switch answer {
            case .success(let numbers): found[name] = numbers
            // Another of several may be there.
            case .failure where address.hosts.count > 1: break
            case .failure(let failure): return life.retry(failure.description)
            }
            lookUp(names.dropFirst(), found, number)
        }
    }

    private func begin(_ found: [String: [String]]) {
        if let reason = postgresql_open() {
            return life.refused(
                StoreFailure(
                    "PostgreSQL's client library cannot be loaded: \(String(cString: reason))", .refused,
                    fix: "Install it: apt-get install libpq5"))
        }
        guard let wire = Wire(address.keywords(found)) else { return life.retry("out of memory") }
        self.wire = wire
        silence.expect()
        guard !wire.isBad else { return failLater() }
        wait(for: .write)
    }

    /// Not from within the owner's call: it may not be ready to be called back.
    private func failLater() {
        let number = life.attempt
        _ = loop.schedule(afterSeconds: 0) { [weak self] in
            guard let self, number == life.attempt, wire != nil else { return }
            failed()
        }
    }

    private func wait(for interest: Readiness) {
        guard let wire, wire.descriptor >= 0 else { return failed() }
        watch = loop.watch(wire.descriptor, for: interest) { [weak self] ready in self?.ready(ready) }
    }

    private func ready(_ ready: Readiness) {
        guard isPipelining else { return proceed() }
        if !ready.isDisjoint(with: [.read, .hangup]) { receive() }
        if ready.contains(.write) { flush() }
    }

    private func proceed() {
        // libpq may take another socket for the next host or address.
        watch?.cancel()
        watch = nil
        silence.received(more: true)
        switch wire?.poll() {
        case .reading?: wait(for: .read)
        case .writing?: wait(for: .write)
        case .done?: connected()
        case .failed?, nil: failed()
        }
    }

    private func connected() {
        guard let wire, wire.enterPipeline() else { return failed() }
        isPipelining = true
        wait(for: .read)
        let number = life.attempt
        prepare(self) { [weak self] error in
            guard let self, number == life.attempt, self.wire != nil else { return }
            if let error { return unprepared(error) }
            silence.received(more: !asked.isEmpty)
            life.becameUp()
        }
    }

    private func unprepared(_ error: ServerError) {
        switch SQLErrorKind(error, at: address) {
        case .contended: drop(error.message)
        case .passing(let reason), .reconnect(let reason): drop(reason)
        case .refused(let failure), .unfit(let failure): refuse(failure)
        }
    }

    private func failed() {
        let text = wire?.message ?? "no connection"
        let refusal = isPipelining ? nil : SQLErrorKind.refusal(text, at: address)
        end()
        if let refusal { refuse(refusal) } else { life.retry(text) }
    }

    /// - Parameter done: called once for each statement, in order.
    func send(_ statements: [Statement], done: @escaping (Int, StatementAnswer) -> Void) {
        for (index, statement) in statements.enumerated() {
            guard let wire, isPipelining else {
                done(index, .lost)
                continue
            }
            asked.append(Question(done: { done(index, $0) }, endsTransaction: !statement.isContinued))
            silence.expect()
            if !wire.send(statement) { failLater() }
        }
        flush()
    }

    private func flush() {
        guard let wire else { return }
        guard let hasMore = wire.flush() else { return failLater() }
        watch?.change(to: hasMore ? [.read, .write] : .read)
    }

    private func receive() {
        guard let wire else { return }
        let isAlive = wire.read()
        let number = life.attempt
        // An answer may lead its owner to close or drop the link.
        // Of a connection that is gone libpq says the same for ever; what is unanswered then is lost.
        while self.wire === wire, number == life.attempt, !wire.isBad, take(wire.next()) {}
        while self.wire === wire, number == life.attempt, let notification = wire.notification() {
            notified(notification)
        }
        guard self.wire === wire, number == life.attempt else { return }
        silence.received(more: !asked.isEmpty || !life.isUp)
        if !isAlive || wire.isBad { failed() } else { flush() }
    }

    /// - Returns: whether there may be more.
    private func take(_ piece: Wire.Piece) -> Bool {
        switch piece {
        case .none: return false
        case .answer(let answer):
            // With nothing asked: the server's farewell.
            guard !asked.isEmpty else { return true }
            // The end of the transaction may fail what had been done.
            if case .failed = answer { asked[0].answer = answer } else { asked[0].answer = asked[0].answer ?? answer }
        case .skipped:
            guard !asked.isEmpty else { return true }
            asked[0].answer = .failed(ServerError(state: "25P02", message: "an earlier part of it failed"))
        case .endOfStatement:
            guard !asked.isEmpty, asked[0].answer != nil else { return false }
            // Done for good once its transaction is.
            guard !asked[0].endsTransaction else { return true }
            settleFirst()
        case .endOfTransaction:
            guard !asked.isEmpty else { return true }
            settleFirst()
        }
        return true
    }

    private func settleFirst() {
        let question = asked.removeFirst()
        question.done(question.answer ?? .lost)
    }

    /// Breaks the link; a new one is made after the usual pause.
    func drop(_ reason: String) {
        guard wire != nil else { return }
        end()
        life.retry(reason)
    }

    func close() {
        life.close()
        end()
    }

    private func end() {
        silence.stop()
        watch?.cancel()
        watch = nil
        wire = nil
        isPipelining = false
        life.ended()
        let unanswered = asked
        asked = []
        for question in unanswered { question.done(.lost) }
    }

    private func refuse(_ failure: StoreFailure) {
        end()
        life.refused(failure)
    }
}
