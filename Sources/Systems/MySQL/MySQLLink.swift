// One connection to MySQL, kept up: connect, make the tables; after a loss again, with back-off and jitter.
import Ports
import SQLRows
import TaskModel

/// Belongs to the loop's thread. Statements go one after the other: the protocol knows no pipeline.
final class MySQLLink {
    let address: MySQLAddress
    private let loop: any EventLoop
    private let tell: (LinkEvent) -> Void
    /// What is to be done over a new connection before it counts as up; calls back with nil, or why it cannot be used.
    private let prepare: (MySQLLink, @escaping (MySQLError?) -> Void) -> Void
    /// Sorts what `prepare` found wrong.
    private let sort: (MySQLError) -> SQLErrorKind
    private var wire: MySQLWire?
    private var isConnected = false
    private var watch: (any LoopWatch)?
    private var asked: [Question] = []
    private var isAsking = false
    private var pause = LinkPause()
    private var timer: (any LoopTimer)?
    private lazy var silence = SilenceWatch(loop: loop) { [weak self] reason in self?.drop(reason) }
    private var isClosed = false
    private(set) var isUp = false
    private var wasUp = false
    /// Grows with each attempt: an answer of an earlier one is dropped.
    private var attempt = 0

    private struct Question {
        let sql: [UInt8]
        let done: (Result<MySQLAnswer, MySQLError>) -> Void
    }

    init(
        address: MySQLAddress, loop: any EventLoop,
        prepare: @escaping (MySQLLink, @escaping (MySQLError?) -> Void) -> Void,
        sort: @escaping (MySQLError) -> SQLErrorKind, tell: @escaping (LinkEvent) -> Void
    ) {
        self.address = address
        self.loop = loop
        self.prepare = prepare
        self.sort = sort
        self.tell = tell
    }

    func connect() {
        guard wire == nil, !isClosed else { return }
        attempt += 1
        guard let host = address.host else { return begin(nil) }
        let number = attempt
        // The library would wait for the name server.
        HostLookup.resolve(host.name, on: loop) { [weak self] answer in
            guard let self, number == attempt, !isClosed else { return }
            switch answer {
            // It compares the certificate with the name it is given, and looks that up itself: the name server has just
            // answered, so it is not waited for long.
            case .success where address.tls.verifies: begin(host.name)
            case .success(let numbers): begin(numbers[(number - 1) % numbers.count])
            case .failure(let failure): retry(failure.description)
            }
        }
    }

    private func begin(_ host: String?) {
        guard let wire = MySQLWire(address.tls) else { return retry("out of memory") }
        self.wire = wire
        silence.expect()
        // Not from within the owner's call: it may not be ready to be called back.
        let number = attempt
        _ = loop.schedule(afterSeconds: 0) { [weak self] in
            guard let self, number == attempt, self.wire === wire else { return }
            went(wire.connect(address, host: host))
        }
    }

    private func went(_ progress: MySQLWire.Progress) {
        switch progress {
        case .waiting(let interest): wait(for: interest)
        case .connected: connected()
        case .answer(let answer): answered(.success(answer))
        case .failed(let error):
            if isConnected, !error.endsConnection { answered(.failure(error)) } else { failed(error) }
        }
    }

    private func wait(for interest: Readiness) {
        guard let wire, wire.descriptor >= 0 else { return failed(.lost) }
        if let watch, isConnected { return watch.change(to: interest) }
        // The library may take another socket for the next address.
        watch?.cancel()
        watch = loop.watch(wire.descriptor, for: interest) { [weak self] ready in self?.ready(ready) }
    }

    private func ready(_ ready: Readiness) {
        guard let wire else { return }
        silence.received(more: true)
        guard isConnected, !isAsking else { return went(wire.resume(ready)) }
        // Nothing is under way, so this is the server's farewell, or something of the TLS layer: the next answer tells which.
        asked.insert(Question(sql: Array("DO 0".utf8)) { _ in }, at: 0)
        askNext()
    }

    private func connected() {
        isConnected = true
        wait(for: .read)
        let number = attempt
        prepare(self) { [weak self] error in
            guard let self, number == attempt, wire != nil else { return }
            if let error { return unprepared(error) }
            pause.up(at: loop.clocks.monotonic)
            isUp = true
            wasUp = true
            silence.received(more: !asked.isEmpty)
            tell(.up)
        }
    }

    private func unprepared(_ error: MySQLError) {
        switch sort(error) {
        case .contended: drop(error.message)
        case .passing(let reason), .reconnect(let reason): drop(reason)
        case .refused(let failure), .unfit(let failure): refuse(failure)
        }
    }

    private func failed(_ error: MySQLError) {
        let refusal = isConnected ? nil : SQLErrorKind.refusal(error, at: address)
        end()
        if let refusal { refuse(refusal) } else { retry("\(error.message) (\(error.code))") }
    }

    /// - Parameter done: called once; `MySQLError.lost` when the connection breaks before the answer.
    func ask(_ sql: [UInt8], done: @escaping (Result<MySQLAnswer, MySQLError>) -> Void) {
        guard isConnected else { return done(.failure(.lost)) }
        asked.append(Question(sql: sql, done: done))
        silence.expect()
        askNext()
    }

    private func askNext() {
        guard let wire, isConnected, !isAsking, let first = asked.first else { return }
        isAsking = true
        went(wire.ask(first.sql))
    }

    private func answered(_ answer: Result<MySQLAnswer, MySQLError>) {
        let question = asked.removeFirst()
        isAsking = false
        silence.received(more: !asked.isEmpty || !isUp)
        wait(for: .read)
        let number = attempt
        question.done(answer)
        // The answer may have led its owner to close or drop the link.
        guard number == attempt else { return }
        askNext()
    }

    /// Breaks the link; a new one is made after the usual pause.
    func drop(_ reason: String) {
        guard wire != nil else { return }
        end()
        retry(reason)
    }

    func close() {
        isClosed = true
        timer?.cancel()
        end()
    }

    private func end() {
        silence.stop()
        watch?.cancel()
        watch = nil
        wire = nil
        isConnected = false
        isAsking = false
        isUp = false
        attempt += 1
        let unanswered = asked
        asked = []
        for question in unanswered { question.done(.failure(.lost)) }
    }

    /// Who was let in before waits: a password that was turned and a database that is being restored are no reason to
    /// give up what waits.
    private func refuse(_ failure: StoreFailure) {
        end()
        if !wasUp {
            pause.refused()
            tell(.refused(failure))
        }
        retry(failure.description)
    }

    private func retry(_ reason: String) {
        guard !isClosed else { return }
        let wait = pause.next(at: loop.clocks.monotonic)
        timer?.cancel()
        timer = loop.schedule(afterSeconds: wait) { [weak self] in self?.connect() }
        tell(.down(reason: "\(address): \(reason)", retryInSeconds: wait))
    }
}
