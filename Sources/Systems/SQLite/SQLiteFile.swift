// The file as the loop sees it: requests in, answers and events out.
public import Ports

/// One database file, shared by a broker and a result store of this process. All calls on the loop's thread.
///
/// The database itself belongs to a thread of its own, which commits whatever has gathered while the commit before
/// was on its way to the disk. Any number of processes may use the file at once.
public final class SQLiteFile {
    public let address: SQLiteAddress

    let loop: any EventLoop
    private(set) var state = State.idle
    private var thread: FileThread?
    private var users: [any FileUser] = []
    private var listener: ChangeListener?
    private var whenEnded: [() -> Void] = []

    enum State {
        case idle, opening, up
        case unusable(SQLiteFailure)
        case ended
    }

    public init(address: SQLiteAddress, loop: any EventLoop) {
        self.address = address
        self.loop = loop
    }

    /// Opens the file for its first user. Events come later, never from within this call.
    func attach(_ user: any FileUser) {
        users.append(user)
        switch state {
        case .idle:
            state = .opening
            startThread()
        case .ended:
            // Closed by its last user, wanted again.
            state = .opening
            startThread()
        case .opening:
            break
        case .up:
            later { $0.fileUp() }
        case .unusable(let failure):
            later { $0.fileUnusable(failure) }
        }

        func later(_ report: @escaping (any FileUser) -> Void) {
            _ = loop.schedule(afterSeconds: 0) { [weak user] in
                if let user { report(user) }
            }
        }
    }

    /// Closes the file behind its last user, when all it asked for is done.
    func detach(_ user: any FileUser, done: @escaping () -> Void) {
        users.removeAll { $0 === user }
        guard users.isEmpty, let thread else { return done() }
        whenEnded.append(done)
        listener?.close()
        listener = nil
        thread.end()
    }

    /// Requests are served in order. `done` is called on the loop's thread, never from within this call.
    /// - Parameter finish: what need not keep others from writing; on the file's thread, after the commit.
    func submit<Value: Sendable>(
        _ kind: FileJob.Kind, _ body: @escaping @Sendable (Database) throws -> Value,
        finish: (@Sendable (inout Value) -> Void)? = nil, done: @escaping (Result<Value, SQLiteFailure>) -> Void
    ) {
        let job = FileJob(kind, body, finish: finish, done: done)
        guard let thread else {
            let path = address.path
            return LoopDoor(loop).post { job.answer(.closed(path)) }
        }
        thread.submit(job)
    }

    /// As `submit`, for a request whose failure changes nothing: it is not reported.
    /// - Parameter reason: why nothing depends on it.
    func submitBestEffort(
        _ kind: FileJob.Kind, because reason: StaticString, _ body: @escaping @Sendable (Database) throws -> Void,
        done: @escaping () -> Void = {}
    ) {
        submit(kind, body) { _ in done() }  // ignored by name
    }

    private func startThread() {
        let inbox = Inbox(self)
        let thread = FileThread(address, door: LoopDoor(loop)) { item in inbox.file?.take(item) }
        self.thread = thread
        thread.start()
    }

    private func take(_ item: FileEvent) {
        switch item {
        case .up:
            state = .up
            listener = ChangeListener(path: ChangeNotifier.path(for: address.path), loop: loop) { [weak self] in
                for user in self?.users ?? [] { user.fileChanged() }
            }
            for user in users { user.fileUp() }
        case .down(let failure, let pause):
            for user in users { user.fileDown(failure, retryInSeconds: pause) }
        case .blocked(let failure):
            for user in users { user.fileBlocked(failure) }
        case .unusable(let failure):
            state = .unusable(failure)
            for user in users { user.fileUnusable(failure) }
        case .ended:
            thread = nil
            state = .ended
            let done = whenEnded
            whenEnded = []
            for call in done { call() }
            if !users.isEmpty {
                state = .opening
                startThread()
            }
        }
    }

    /// Carried to the file's thread and back; looked into on the loop's thread only.
    private final class Inbox: @unchecked Sendable {
        private(set) weak var file: SQLiteFile?
        init(_ file: SQLiteFile) { self.file = file }
    }
}

/// A broker or result store over the file.
protocol FileUser: AnyObject {
    func fileUp()
    /// It could not be opened yet.
    func fileDown(_ failure: SQLiteFailure, retryInSeconds: Double)
    /// Requests wait (disk full …); nil: they are served again.
    func fileBlocked(_ failure: SQLiteFailure?)
    /// No request will ever succeed.
    func fileUnusable(_ failure: SQLiteFailure)
    /// Somebody, perhaps we, has written something worth looking at.
    func fileChanged()
}
