// One connection to MySQL, kept up: connect, make the tables; after a loss again, with back-off and jitter.
import CMariaDB
import Ports
import SQLRows
import TaskModel

/// Belongs to the loop's thread. Statements go one after the other: the protocol knows no pipeline.
final class MySQLLink: LookLink {
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
    private lazy var life = LinkLife(
        loop: loop, address: "\(address)", connect: { [weak self] in self?.connect() }, tell: tell)
    private lazy var silence = SilenceWatch(loop: loop) { [weak self] reason in self?.drop(reason) }
    var isUp: Bool { life.isUp }

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
        guard wire == nil, !life.isClosed else { return }
        life.begins()
        guard let host = address.host else { return begin(nil) }
        let number = life.attempt
        // The library would wait for the name server.
        HostLookup.resolve(host.name, on: loop) { [weak self] answer in
            guard let self, number == life.attempt, !life.isClosed else { return }
            switch answer {
            // It compares the certificate with the name it is given, and looks that up itself: the name server has just
            // answered, so it is not waited for long.
            case .success where address.tls.verifies: begin(host.name)
            case .success(let numbers): begin(numbers[(number - 1) % numbers.count])
            case .failure(let failure): life.retry(failure.description)
            }
        }
    }

    private func begin(_ host: String?) {
        if let reason = mariadb_open() {
            return life.refused(
                StoreFailure(
                    "The client library of MariaDB and MySQL cannot be loaded: \(String(cString: reason))", .refused,
                    fix: "Install it: apt-get install libmariadb3"))
        }
        guard let wire = MySQLWire(address.tls) else { return life.retry("out of memory") }
        self.wire = wire
        silence.expect()
        // Not from within the owner's call: it may not be ready to be called back.
        let number = life.attempt
        _ = loop.schedule(afterSeconds: 0) { [weak self] in
            guard let self, number == life.attempt, self.wire === wire else { return }
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
        let number = life.attempt
        prepare(self) { [weak self] error in
            guard let self, number == life.attempt, wire != nil else { return }
            if let error { return unprepared(error) }
            silence.received(more: !asked.isEmpty)
            life.becameUp()
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
        if let refusal { refuse(refusal) } else { life.retry("\(error.message) (\(error.code))") }
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
        silence.received(more: !asked.isEmpty || !life.isUp)
        wait(for: .read)
        let number = life.attempt
        question.done(answer)
        // The answer may have led its owner to close or drop the link.
        guard number == life.attempt else { return }
        askNext()
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
        isConnected = false
        isAsking = false
        life.ended()
        let unanswered = asked
        asked = []
        for question in unanswered { question.done(.failure(.lost)) }
    }

    private func refuse(_ failure: StoreFailure) {
        end()
        life.refused(failure)
    }
}
