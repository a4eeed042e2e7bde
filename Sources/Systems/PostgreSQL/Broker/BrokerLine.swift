// The connection by which a process sends and asks: what waits for it is asked again after a loss, or when the server
// could not answer.
import Ports
import SQLRows
import TaskModel

/// Belongs to the loop's thread. Shared by broker, remote control, events and leadership of one process; up as long as
/// one of them uses it. Many transactions are under way at once; the answers come in order.
final class BrokerLine {
    enum Event {
        /// Also when the server has become well again.
        case up
        case down(reason: String, retryInSeconds: Double)
        /// It is there, and cannot do what is asked for now.
        case unwell(reason: String)
        /// It will not work like this; tried again all the same, slowly.
        case refused(StoreFailure)
    }

    /// One of those that use it.
    final class User {
        fileprivate let changed: (Event) -> Void
        fileprivate init(_ changed: @escaping (Event) -> Void) { self.changed = changed }
    }

    private struct Request {
        let statements: [Statement]
        let bytes: Int
        let done: (Result<[Rows], StoreFailure>) -> Void
    }

    private static let maxUnderWay = 64
    private static let maxWaiting = 100_000
    private static let maxWaitingBytes = 256 << 20

    let address: PostgreSQLAddress
    let loop: any EventLoop
    private let schema: BrokerSchema
    private var link: PostgreSQLLink?
    private var users: [User] = []
    private var waiting: [Request] = []
    private var waitingBytes = 0
    private var underWay = 0
    private var repeated: [Request] = []
    /// Why nothing can be asked until the link is up.
    private var refusal: StoreFailure?
    private var restTimer: (any LoopTimer)?
    private var rest = Backoff(initial: 0.2, max: 5)

    init(address: PostgreSQLAddress, loop: any EventLoop) {
        self.address = address
        self.loop = loop
        schema = BrokerSchema(address)
    }

    var isUp: Bool { link?.isUp ?? false }

    /// It is called later, never from within this call.
    func open(_ changed: @escaping (Event) -> Void) -> User {
        let user = User(changed)
        users.append(user)
        if link == nil {
            let link = PostgreSQLLink(
                address: address, loop: loop, prepare: { [schema] link, done in schema.prepare(link, done: done) },
                tell: { [weak self] event in self?.changed(event) })
            self.link = link
            link.connect()
        } else {
            _ = loop.schedule(afterSeconds: 0) { [weak self] in
                guard let self, users.contains(where: { $0 === user }) else { return }
                if isUp { changed(.up) } else if let refusal { changed(.refused(refusal)) }
            }
        }
        return user
    }

    /// What waits is given up with the last user.
    func close(_ user: User?) {
        users.removeAll { $0 === user }
        guard users.isEmpty, let link else { return }
        self.link = nil
        restTimer?.cancel()
        restTimer = nil
        link.close()
        giveUp(StoreFailure("The connection to \(address) was closed before it was done"))
    }

    /// One transaction, begun again after a loss of the link: it must bear being done twice.
    /// - Parameters:
    ///   - bytes: what it keeps in memory.
    ///   - done: the rows of each statement.
    func ask(_ statements: [Statement], bytes: Int = 256, done: @escaping (Result<[Rows], StoreFailure>) -> Void) {
        let failure: StoreFailure? =
            if link == nil {
                StoreFailure("The connection to \(address) is closed")
            } else if let refusal {
                refusal
            } else if waiting.count >= Self.maxWaiting || waitingBytes + bytes > Self.maxWaitingBytes, !waiting.isEmpty
            {
                StoreFailure(
                    "\(waiting.count) requests of \(waitingBytes) bytes already wait for \(address)",
                    fix: "See why it is not reachable")
            } else {
                nil
            }
        if let failure {
            _ = loop.schedule(afterSeconds: 0) { done(.failure(failure)) }
            return
        }
        waiting.append(Request(statements: statements, bytes: bytes, done: done))
        waitingBytes += bytes
        pump()
    }

    /// As `ask`, for what changes nothing when it fails.
    /// - Parameter reason: why nothing depends on it.
    func askBestEffort(_ statements: [Statement], because reason: StaticString, done: @escaping () -> Void = {}) {
        ask(statements) { _ in done() }  // ignored by name
    }

    private func pump() {
        while let link, link.isUp, restTimer == nil, repeated.isEmpty, !waiting.isEmpty, underWay < Self.maxUnderWay {
            let request = waiting.removeFirst()
            waitingBytes -= request.bytes
            underWay += 1
            link.transact(request.statements) { [weak self] answer in self?.answered(request, answer) }
        }
    }

    private func answered(_ request: Request, _ answer: TransactionAnswer) {
        underWay -= 1
        switch answer {
        case .done(let rows):
            if rest.attempts > 0, restTimer == nil {
                rest.reset()
                tell(.up)
            }
            request.done(.success(rows))
        case .lost: again(request)
        case .failed(let error):
            switch SQLErrorKind(error, at: address) {
            case .passing(let reason):
                again(request)
                pause(reason)
            case .reconnect(let reason):
                again(request)
                link?.drop(reason)
            case .contended: again(request)
            case .refused(let failure): request.done(.failure(rightsFailure(failure, error)))
            case .unfit(let failure): request.done(.failure(failure))
            }
        }
        repeatLost()
        pump()
    }

    private func rightsFailure(_ failure: StoreFailure, _ error: ServerError) -> StoreFailure {
        error.state == BrokerRights.state ? BrokerRights.failure(address, error.message) : failure
    }

    private func again(_ request: Request) {
        guard link != nil else {
            return request.done(.failure(StoreFailure("The connection to \(address) was closed")))
        }
        repeated.append(request)
    }

    /// In the order in which they were asked: after the last answer of those that were under way with them.
    private func repeatLost() {
        guard underWay == 0, !repeated.isEmpty else { return }
        waiting.insert(contentsOf: repeated, at: 0)
        waitingBytes += repeated.reduce(0) { $0 + $1.bytes }
        repeated = []
    }

    private func pause(_ reason: String) {
        guard restTimer == nil else { return }
        restTimer = loop.schedule(afterSeconds: rest.next()) { [weak self] in
            self?.restTimer = nil
            self?.pump()
        }
        tell(.unwell(reason: reason))
    }

    private func changed(_ event: LinkEvent) {
        switch event {
        case .up:
            refusal = nil
            restTimer?.cancel()
            restTimer = nil
            rest.reset()
            tell(.up)
            pump()
        case .down(let reason, let seconds): tell(.down(reason: reason, retryInSeconds: seconds))
        case .refused(let failure):
            let better = schema.refusal ?? failure
            refusal = better
            giveUp(better)
            tell(.refused(better))
        }
    }

    private func tell(_ event: Event) {
        for user in users { user.changed(event) }
    }

    private func giveUp(_ failure: StoreFailure) {
        let given = repeated + waiting
        repeated = []
        waiting = []
        waitingBytes = 0
        for request in given { request.done(.failure(failure)) }
    }
}

enum TransactionAnswer {
    /// Of each statement its rows, as bytes.
    case done([Rows])
    /// None of it was done.
    case failed(ServerError)
    /// Whether it was done is unknown.
    case lost
}

extension PostgreSQLLink {
    /// All of it or nothing.
    func transact(_ statements: [Statement], done: @escaping (TransactionAnswer) -> Void) {
        var rows: [Rows] = []
        var failure: ServerError?
        var isLost = false
        var parts = statements
        for index in parts.indices { parts[index].isContinued = index < parts.count - 1 }
        send(parts) { index, answer in
            switch answer {
            case .rows(let found): rows.append(found)
            case .failed(let error): failure = failure ?? error
            case .lost: isLost = true
            }
            guard index == parts.count - 1 else { return }
            if isLost { done(.lost) } else if let failure { done(.failed(failure)) } else { done(.done(rows)) }
        }
    }
}
