// Tells a link that its server has said nothing for so long that it is as good as gone.
public import Ports
import TaskModel

/// Belongs to the loop's thread. Looks only while an answer is awaited.
public final class SilenceWatch {
    private let loop: any EventLoop
    private let silent: (String) -> Void
    private var since: Instant?
    private var timer: (any LoopTimer)?

    private static let seconds = 15.0

    /// - Parameter silent: called once with the reason; nothing is awaited then.
    public init(loop: any EventLoop, silent: @escaping (String) -> Void) {
        self.loop = loop
        self.silent = silent
    }

    /// Something is awaited from now on, if nothing was before.
    public func expect() {
        guard since == nil else { return }
        since = loop.clocks.monotonic
        if timer == nil { look(in: Self.seconds) }
    }

    /// - Parameter more: something is awaited still.
    public func received(more: Bool) {
        since = nil
        if more { expect() }
    }

    public func stop() {
        since = nil
        timer?.cancel()
        timer = nil
    }

    private func look(in seconds: Double) {
        timer = loop.schedule(afterSeconds: seconds) { [weak self] in
            guard let self else { return }
            timer = nil
            guard let since else { return }
            let left = Self.seconds - loop.clocks.monotonic.seconds(since: since)
            guard left <= 0 else { return look(in: left) }
            self.since = nil
            silent("no answer for \(Int(Self.seconds)) s")
        }
    }
}
