// Signals as events of the loop.

internal import CLinux
public import Ports

extension EpollLoop {
    /// Calls `handler` with each signal's number, on the loop's thread, until cancelled.
    ///
    /// Blocks the signals in the calling thread: call it before other threads are started, so that they inherit
    /// this. Several signals of one number that come together are reported once, as always with Unix. After `cancel`
    /// the signals stay blocked.
    public func watchSignals(
        _ signals: [Int32], _ handler: @escaping (Int32) -> Void
    ) throws(LoopFailure) -> any LoopWatch {
        let descriptor = try checked("signalfd", clinux_signalfd(signals, Int32(signals.count)))
        let source = watch(descriptor, for: .read) { _ in
            var signal = clinux_signal()
            while clinux_signalfd_read(descriptor, &signal) > 0 { handler(signal.number) }
        }
        return SignalWatch(source: source, descriptor: descriptor)
    }
}

private final class SignalWatch: LoopWatch {
    private let source: any LoopWatch
    private var descriptor: Int32?

    init(source: any LoopWatch, descriptor: Int32) {
        self.source = source
        self.descriptor = descriptor
    }

    func change(to interest: Readiness) {
        source.change(to: interest)
    }

    func cancel() {
        source.cancel()
        if let descriptor { _ = clinux_close(descriptor) }
        descriptor = nil
    }
}
