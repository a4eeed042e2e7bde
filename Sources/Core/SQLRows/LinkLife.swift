// What every link to a database does besides its protocol: it counts its attempts, and connects again after a loss.
public import Ports
public import TaskModel

/// Belongs to the loop's thread.
public final class LinkLife {
    private let loop: any EventLoop
    /// For reasons; without secrets.
    private let address: String
    private let connect: () -> Void
    private let tell: (LinkEvent) -> Void
    private var pause = LinkPause()
    private var timer: (any LoopTimer)?
    private var wasUp = false
    /// Connected, and the tables are there.
    public private(set) var isUp = false
    public private(set) var isClosed = false
    /// Another one after each loss and each beginning: an answer of an earlier one is dropped.
    public private(set) var attempt = 0

    /// - Parameter connect: begins the next attempt, when it is time for that.
    public init(
        loop: any EventLoop, address: String, connect: @escaping () -> Void, tell: @escaping (LinkEvent) -> Void
    ) {
        self.loop = loop
        self.address = address
        self.connect = connect
        self.tell = tell
    }

    /// An attempt begins.
    public func begins() { attempt += 1 }

    public func becameUp() {
        pause.up(at: loop.clocks.monotonic)
        isUp = true
        wasUp = true
        tell(.up)
    }

    /// The connection is gone.
    public func ended() {
        isUp = false
        attempt += 1
    }

    /// A link that was let in before waits: a password that was turned and a database that is being restored are no
    /// reason to give up what waits.
    public func refused(_ failure: StoreFailure) {
        if !wasUp {
            pause.refused()
            tell(.refused(failure))
        }
        retry(failure.description)
    }

    public func retry(_ reason: String) {
        guard !isClosed else { return }
        let wait = pause.next(at: loop.clocks.monotonic)
        timer?.cancel()
        timer = loop.schedule(afterSeconds: wait) { [weak self] in self?.connect() }
        tell(.down(reason: "\(address): \(reason)", retryInSeconds: wait))
    }

    /// Nothing is tried or told from now on.
    public func close() {
        isClosed = true
        timer?.cancel()
    }
}
