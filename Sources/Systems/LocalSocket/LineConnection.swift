// A connection that carries lines, on the loop: reads whole lines, writes without waiting.
import CLinux
import Glibc
package import Ports

package final class LineConnection {
    private let descriptor: Int32
    private let longestLine: Int
    private var watch: (any LoopWatch)?
    private var unread: [UInt8] = []
    private var unwritten: [UInt8] = []
    private var isOpen = true
    private var received: ([UInt8]) -> Void = { _ in }
    private var ended: () -> Void = {}

    private static let chunk = 65_536

    /// Bytes that the other side has not taken yet.
    package var backlog: Int { unwritten.count }

    /// - Parameter longestLine: bytes; who sends a longer one is cut off.
    package init(_ descriptor: Int32, longestLine: Int) {
        self.descriptor = descriptor
        self.longestLine = longestLine
    }

    /// - Parameter ended: called once, when the other side is gone; not after `close`.
    package func start(on loop: any EventLoop, received: @escaping ([UInt8]) -> Void, ended: @escaping () -> Void) {
        self.received = received
        self.ended = ended
        watch = loop.watch(descriptor, for: .read) { [weak self] readiness in
            guard let self else { return }
            if readiness.contains(.write) { flush() }
            if isOpen { read() }
        }
    }

    /// The line's end is added.
    package func send(_ line: [UInt8]) {
        guard isOpen else { return }
        let wasEmpty = unwritten.isEmpty
        unwritten += line
        unwritten.append(0x0A)
        if wasEmpty { flush() }
    }

    package func close() {
        guard isOpen else { return }
        isOpen = false
        watch?.cancel()
        watch = nil
        received = { _ in }
        ended = {}
        _ = clinux_close(descriptor)
    }

    private func end() {
        let tell = ended
        close()
        tell()
    }

    private func flush() {
        while !unwritten.isEmpty {
            let sent = unwritten.withUnsafeBytes { clinux_send(descriptor, $0.baseAddress, $0.count) }
            if sent == -Int(EAGAIN) {
                watch?.change(to: [.read, .write])
                return
            }
            guard sent > 0 else { return end() }
            unwritten.removeFirst(sent)
        }
        watch?.change(to: .read)
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: Self.chunk)
        let count = clinux_receive(descriptor, &buffer, buffer.count)
        if count == -Int(EAGAIN) || count == -Int(EINTR) { return }
        guard count > 0 else { return end() }
        unread += buffer.prefix(count)
        var rest = unread[...]
        while isOpen, let end = rest.firstIndex(of: 0x0A) {
            let line = rest[..<end]
            rest = rest[(end + 1)...]
            if !line.isEmpty { received(Array(line)) }
        }
        guard isOpen else { return }
        unread = Array(rest)
        if unread.count > longestLine { end() }
    }
}
