// Lets hiredis wait for its socket on our loop, and write once a turn.
import CHiredis
import Ports

/// Between one hiredis context and the loop. hiredis says what it waits for; we say when it is there. What a turn asks is
/// written at its end (`flush`): the socket nearly always takes it, so that nobody waits for it to be writable.
final class HiredisEvents {
    private let loop: any EventLoop
    private var context: UnsafeMutablePointer<redisAsyncContext>?
    private var watch: (any LoopWatch)?
    private var interest: Readiness = []
    /// Something is to be written, and the socket is not waited for.
    private var hasUnwritten = false

    /// Lives until hiredis calls `cleanup`, which it does exactly once, when it frees the context.
    static func attach(
        _ context: UnsafeMutablePointer<redisAsyncContext>, to loop: any EventLoop
    ) -> HiredisEvents {
        let events = HiredisEvents(context, loop)
        context.pointee.ev.data = Unmanaged.passRetained(events).toOpaque()
        context.pointee.ev.addRead = { HiredisEvents.from($0)?.want(.read, true) }
        context.pointee.ev.delRead = { HiredisEvents.from($0)?.want(.read, false) }
        context.pointee.ev.addWrite = { HiredisEvents.from($0)?.writeLater() }
        context.pointee.ev.delWrite = { HiredisEvents.from($0)?.allWritten() }
        context.pointee.ev.cleanup = { data in
            guard let data else { return }
            Unmanaged<HiredisEvents>.fromOpaque(data).takeRetainedValue().end()
        }
        // To notice that the connection is made, or refused.
        events.want(.write, true)
        return events
    }

    /// Writes what there is, as far as the socket takes it; waits for the socket with the rest. May free the context.
    func flush() {
        guard hasUnwritten, let context else { return }
        hasUnwritten = false
        redisAsyncHandleWrite(context)
        if hasUnwritten {
            hasUnwritten = false
            want(.write, true)
        }
    }

    private init(_ context: UnsafeMutablePointer<redisAsyncContext>, _ loop: any EventLoop) {
        self.context = context
        self.loop = loop
    }

    private static func from(_ data: UnsafeMutableRawPointer?) -> HiredisEvents? {
        data.map { Unmanaged<HiredisEvents>.fromOpaque($0).takeUnretainedValue() }
    }

    private func writeLater() {
        guard let context, !interest.contains(.write) else { return }
        // Until it is connected the socket says when.
        if context.pointee.c.flags & REDIS_CONNECTED != 0 { hasUnwritten = true } else { want(.write, true) }
    }

    private func allWritten() {
        hasUnwritten = false
        want(.write, false)
    }

    private func want(_ readiness: Readiness, _ isWanted: Bool) {
        guard let context else { return }
        let before = interest
        if isWanted { interest.insert(readiness) } else { interest.remove(readiness) }
        guard interest != before else { return }
        if let watch {
            watch.change(to: interest)
        } else {
            watch = loop.watch(context.pointee.c.fd, for: interest) { [weak self] ready in self?.handle(ready) }
        }
    }

    private func handle(_ ready: Readiness) {
        // Either call may free the context, which then is nil here.
        if let context, !ready.isDisjoint(with: [.read, .hangup]) { redisAsyncHandleRead(context) }
        if let context, ready.contains(.write) { redisAsyncHandleWrite(context) }
    }

    private func end() {
        watch?.cancel()
        watch = nil
        context = nil
    }
}
