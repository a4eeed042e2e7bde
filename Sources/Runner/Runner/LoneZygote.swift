// The zygote of a bundle for runs that may kill theirs: one at a time, nothing else at their mercy.

internal import Ports
internal import TaskModel

/// Started when it is needed, from the version that serves; leaves when it has not been needed for a while.
final class LoneZygote {
    static let idleSeconds = 10.0

    private(set) var zygote: Zygote?
    private let loop: any EventLoop
    private var deaths = DeathBook()
    private var pause: (any LoopTimer)?
    private var usedAt: UInt64 = 0
    private var isClosed = false
    private weak var host: (any BundleFileHost)?

    init(loop: any EventLoop) {
        self.loop = loop
    }

    private var now: UInt64 { loop.clocks.monotonic.nanoseconds }

    /// nil: it loads, works, or waits after a death; `capacityFreed` follows.
    func ready(for copy: PrivateCopy, owner: any ZygoteOwner, host: any BundleFileHost) -> Zygote? {
        self.host = host
        usedAt = now
        guard pause == nil, !isClosed else { return nil }
        if let zygote { return zygote.phase == .ready && zygote.childPool.isIdle ? zygote : nil }
        do throws(RunnerFailure) {
            zygote = try host.startZygote(copy, owner: owner, spares: 0)
        } catch {
            wait(deaths.failed())
        }
        return nil
    }

    /// It has loaded.
    func becameReady() { deaths.served() }

    /// False: it is not about this one.
    func ended(_ other: Zygote) -> Bool {
        guard other === zygote else { return false }
        wait(other.manifest == nil ? deaths.failed() : deaths.died(at: now))
        zygote = nil
        return true
    }

    /// It is to serve no more; nil: there is none.
    func letGo() -> Zygote? {
        defer { zygote = nil }
        return zygote
    }

    /// Zygotes that were unused for long and are to exit.
    func idle() -> Zygote? {
        guard let zygote, zygote.phase == .ready, zygote.childPool.isIdle,
            Double(now &- usedAt) / 1e9 > Self.idleSeconds
        else { return nil }
        return letGo()
    }

    func close() {
        isClosed = true
        pause?.cancel()
        pause = nil
    }

    private func wait(_ seconds: Double) {
        guard seconds > 0, !isClosed else { return }
        pause = loop.schedule(afterSeconds: seconds) { [weak self] in
            self?.pause = nil
            self?.host?.capacityFreed()
        }
    }
}
