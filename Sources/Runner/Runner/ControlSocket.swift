// Our end of a zygote's control socket: records out, gathered per turn; records and texts in.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc
internal import Ports

final class ControlSocket {
    typealias Received = (control_record, UnsafeRawBufferPointer) -> Void

    private struct Outgoing {
        var record: control_record
        /// Ours until they are sent; then closed here.
        var descriptors: [Int32] = []
    }

    private let descriptor: Int32
    private let received: Received
    private let ended: () -> Void
    private var watch: (any LoopWatch)?
    private var outgoing: [Outgoing] = []
    private var wantsWrite = false

    private static let recordsPerDatagram = Int(RUNNER_CONTROL_MAX) / MemoryLayout<control_record>.stride
    /// Level-triggered: a second one wakes us again, which costs less than asking in vain each time.
    private static let datagramsPerTurn = 1

    /// Owns the descriptor. `ended` once, when the other side is gone.
    init(_ descriptor: Int32, loop: any EventLoop, received: @escaping Received, ended: @escaping () -> Void) {
        self.descriptor = descriptor
        self.received = received
        self.ended = ended
        watch = loop.watch(descriptor, for: .read) { [unowned self] readiness in
            if readiness.contains(.write) { flush() }
            receive(atMost: readiness.contains(.hangup) ? .max : Self.datagramsPerTurn)
        }
    }

    /// Records it has not taken yet.
    var pending: Int { outgoing.count }

    func send(_ record: control_record, passing descriptors: [Int32] = []) {
        guard watch != nil else {
            for descriptor in descriptors { _ = clinux_close(descriptor) }
            return
        }
        outgoing.append(Outgoing(record: record, descriptors: descriptors))
    }

    /// Sends what was gathered, as few datagrams as possible, in order.
    func flush() {
        guard !outgoing.isEmpty, watch != nil else { return }
        var sent = 0
        while sent < outgoing.count {
            let count = outgoing[sent].descriptors.isEmpty ? plainRun(from: sent) : 1
            let result = sendDatagram(sent..<(sent + count))
            if result == -Int(EAGAIN) || result == -Int(ENOBUFS) { break }
            if result < 0 {
                // The zygote is gone: its pidfd reports its end.
                sent = outgoing.count
                break
            }
            sent += count
        }
        for item in outgoing[..<sent] {
            for descriptor in item.descriptors { _ = clinux_close(descriptor) }
        }
        outgoing.removeFirst(sent)
        if wantsWrite != !outgoing.isEmpty {
            wantsWrite = !outgoing.isEmpty
            watch?.change(to: wantsWrite ? [.read, .write] : .read)
        }
    }

    /// Everything that has arrived: called before conclusions are drawn from a death.
    func receiveAll() {
        receive(atMost: .max)
    }

    func close() {
        guard let open = watch else { return }
        open.cancel()
        watch = nil
        _ = clinux_close(descriptor)
        for item in outgoing {
            for descriptor in item.descriptors { _ = clinux_close(descriptor) }
        }
        outgoing = []
    }

    /// How many records without descriptors follow each other here, as many as a datagram holds.
    private func plainRun(from start: Int) -> Int {
        var end = start
        while end < outgoing.count, outgoing[end].descriptors.isEmpty, end - start < Self.recordsPerDatagram {
            end += 1
        }
        return end - start
    }

    private func sendDatagram(_ range: Range<Int>) -> Int {
        let records = outgoing[range].map(\.record)
        let descriptors = outgoing[range.lowerBound].descriptors
        return records.withUnsafeBytes { bytes in
            descriptors.isEmpty
                ? clinux_send(descriptor, bytes.baseAddress, bytes.count)
                : clinux_send_descriptors(
                    descriptor, bytes.baseAddress, bytes.count, descriptors, Int32(descriptors.count))
        }
    }

    private func receive(atMost limit: Int) {
        withUnsafeTemporaryAllocation(byteCount: Int(RUNNER_CONTROL_MAX), alignment: 16) { buffer in
            var count = 0
            while count < limit, watch != nil {
                let got = clinux_receive(descriptor, buffer.baseAddress, buffer.count)
                if got == 0 || (got < 0 && got != -Int(EAGAIN)) { return end() }
                if got < 0 { return }
                dispatch(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
                count += 1
            }
        }
    }

    private func dispatch(_ datagram: UnsafeRawBufferPointer) {
        let size = MemoryLayout<control_record>.size
        var offset = 0
        while offset + size <= datagram.count, watch != nil {
            let record = datagram.loadUnaligned(fromByteOffset: offset, as: control_record.self)
            offset += size
            let length = Int(record.text_length)
            guard length <= datagram.count - offset else { return }
            received(record, UnsafeRawBufferPointer(rebasing: datagram[offset..<(offset + length)]))
            offset += length
        }
    }

    private func end() {
        guard watch != nil else { return }
        close()
        ended()
    }
}

extension control_record {
    init(_ type: runner_control, lane: UInt32 = 0, pid: Int32 = 0, status: Int32 = 0, sequence: UInt64 = 0) {
        self.init()
        self.type = type.rawValue
        self.status = status
        self.lane = lane
        self.pid = pid
        self.sequence = sequence
    }
}
