// The reading end of a lane's output pipe, throttled so that a flood costs its writer time, not us.

internal import CLinux
internal import Glibc
internal import Ports
internal import TaskModel

final class OutputPipe {
    /// Bytes read per window before the writer has to wait.
    static let bytesPerWindow = 1 << 20
    static let windowSeconds = 0.1
    /// Capacity of a pipe unless it is changed.
    private static let pipeCapacity = 64 << 10

    private let descriptor: Int32
    private let loop: any EventLoop
    private let received: (UnsafeRawBufferPointer) -> Void
    private var watch: (any LoopWatch)?
    private var windowBegan: UInt64 = 0
    private var windowBytes = 0
    private var resume: (any LoopTimer)?

    /// Owns the descriptor, which must not block.
    init(_ descriptor: Int32, loop: any EventLoop, received: @escaping (UnsafeRawBufferPointer) -> Void) {
        self.descriptor = descriptor
        self.loop = loop
        self.received = received
        watch = loop.watch(descriptor, for: .read) { [unowned self] readiness in readable(readiness) }
    }

    /// What is in the pipe now. Bounded: a writer that goes on writing is left for the next turn.
    func drain() {
        var left = 2 * Self.pipeCapacity
        while left > 0 {
            let got = readOnce()
            if got <= 0 { return }
            left -= got
        }
    }

    func close() {
        resume?.cancel()
        resume = nil
        guard let open = watch else { return }
        open.cancel()
        watch = nil
        _ = clinux_close(descriptor)
    }

    private func readable(_ readiness: Readiness) {
        let got = readOnce()
        if got == 0 || (got < 0 && readiness.contains(.hangup)) {
            // All writers are gone, the zygote too: nothing will come any more.
            watch?.change(to: [])
            close()
            return
        }
        guard got > 0 else { return }
        let now = loop.clocks.monotonic.nanoseconds
        if Double(now - windowBegan) / 1e9 > Self.windowSeconds {
            windowBegan = now
            windowBytes = 0
        }
        windowBytes += got
        if windowBytes > Self.bytesPerWindow { pause() }
    }

    private func pause() {
        guard resume == nil, let watch else { return }
        watch.change(to: [])
        resume = loop.schedule(afterSeconds: Self.windowSeconds) { [unowned self] in
            resume = nil
            self.watch?.change(to: .read)
        }
    }

    /// Bytes handed on; 0 at the end, < 0 when there is nothing now.
    private func readOnce() -> Int {
        guard watch != nil else { return 0 }
        return withReadBuffer { buffer in
            let got = read(descriptor, buffer.baseAddress!, min(buffer.count, Self.pipeCapacity))
            if got > 0 { received(UnsafeRawBufferPointer(rebasing: buffer[..<got])) }
            return got
        }
    }
}

/// Memory for one read, before what was read is dealt with.
func withReadBuffer<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
    withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16, body)
}
