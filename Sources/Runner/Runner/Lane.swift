// A lane: data socket, output pipe and crash page, for one child at a time.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc
internal import Ports

/// What a lane tells its childPool.
protocol LaneEvents: AnyObject {
    /// False: it is over with this child; what it sent beyond is dropped.
    func frame(_ header: frame_header, _ payload: UnsafeRawBufferPointer, on lane: Lane) -> Bool
    /// The child spoke nonsense, or shut its socket.
    func violation(_ text: String, on lane: Lane)
    func output(_ bytes: UnsafeRawBufferPointer, on lane: Lane)
}

final class Lane {
    let number: UInt32
    let page: CrashPage
    /// Who works here now.
    var child: Child?
    /// What the present run's tree has written.
    var captured = OutputCapture()
    /// Bytes for the child; written by `flush`.
    var outgoing = FrameQueue()

    private let data: Int32
    private let loop: any EventLoop
    private unowned let events: any LaneEvents
    private var pipe: OutputPipe?
    private var watch: (any LoopWatch)?
    private var reader = FrameReader()
    private var wantsWrite = false
    /// Frames stay in the socket until `release`.
    private var isHeld = false
    /// It says more than anybody can take: nothing is read until then.
    private var resting: (any LoopTimer)?
    private static let restSeconds = 0.1
    private static let socketBytes: Int32 = 2 << 20
    /// The run sends faster than what it sends can go out.
    var isHeldBack = false {
        didSet { if isHeldBack != oldValue { updateInterest() } }
    }
    private var isOpen = true
    private var endSeen = false
    /// Something came from the socket since the pipe was emptied: what was written before that may lie in the pipe.
    private var mayHaveWritten = false

    /// The ends that go to the zygote: data socket, output pipe, crash page.
    struct FarEnds {
        var descriptors: [Int32]
    }

    static func open(
        number: UInt32, loop: any EventLoop, events: any LaneEvents
    ) throws(RunnerFailure) -> (Lane, FarEnds) {
        var sockets: [Int32] = [-1, -1]
        var pipes: [Int32] = [-1, -1]
        let memory = clinux_memfd("taskhost-crash")
        var failure = memory < 0 ? memory : clinux_socketpair_stream(&sockets)
        if failure >= 0 { failure = clinux_pipe(&pipes) }
        // A long body should go in one piece; a kernel that allows less gives what it allows. What a child sends is held
        // back after less: it may be a flood.
        if failure >= 0 { failure = clinux_set_socket_buffers(sockets[0], Self.socketBytes) }
        // Only our ends are for a loop; the child's are as a program expects them.
        if failure >= 0 { failure = clinux_set_nonblocking(sockets[1], false) }
        if failure >= 0 { failure = clinux_set_nonblocking(pipes[0], true) }
        guard failure >= 0, let page = CrashPage(memory) else {
            for descriptor in [memory] + sockets + pipes where descriptor >= 0 { _ = clinux_close(descriptor) }
            let reason = failure < 0 ? errorText(failure) : "no memory"
            throw RunnerFailure(
                "cannot make a place for a child: \(reason). Raise the limit of open files (ulimit -n, LimitNOFILE=)"
                    + " or lower --concurrency.")
        }
        let lane = Lane(
            number: number, data: sockets[0], pipe: pipes[0], page: page, loop: loop, events: events)
        return (lane, FarEnds(descriptors: [sockets[1], pipes[1], memory]))
    }

    private init(
        number: UInt32, data: Int32, pipe: Int32, page: CrashPage, loop: any EventLoop, events: any LaneEvents
    ) {
        self.number = number
        self.data = data
        self.page = page
        self.loop = loop
        self.events = events
        watch = loop.watch(data, for: .read) { [unowned self] readiness in ready(readiness) }
        self.pipe = OutputPipe(pipe, loop: loop) { [unowned self] bytes in events.output(bytes, on: self) }
    }

    /// Nothing half read or unwritten: the next child finds clean channels.
    var isClean: Bool { reader.isEmpty && outgoing.isEmpty && !endSeen }

    /// The child is known now: what waited in the socket may be read.
    func release() {
        guard isHeld else { return }
        isHeld = false
        updateInterest()
    }

    /// Reads no more for a moment, so that a flood costs its writer time.
    func rest() {
        guard resting == nil, isOpen, !endSeen else { return }
        resting = loop.schedule(afterSeconds: Self.restSeconds) { [weak self] in
            guard let self else { return }
            resting = nil
            if isOpen, !endSeen { updateInterest() }
        }
        updateInterest()
    }

    func flush() {
        guard !outgoing.isEmpty, isOpen else { return }
        // Errors mean that the other side is gone; its death is reported by its pidfd.
        outgoing.flush { clinux_send(data, $0.baseAddress, $0.count) }
        if wantsWrite != !outgoing.isEmpty {
            wantsWrite = !outgoing.isEmpty
            updateInterest()
        }
    }

    /// Everything the child has sent; after its death that is all there will be.
    func readAll() {
        while readOnce() {}
    }

    func drainOutput() {
        mayHaveWritten = false
        pipe?.drain()
    }

    /// The same for a run whose result has been read. Results that came by one read need one look: what their runs
    /// wrote was in the pipe before any of them could be read.
    func drainOutputOfResult() {
        if mayHaveWritten { drainOutput() }
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        resting?.cancel()
        resting = nil
        watch?.cancel()
        watch = nil
        _ = clinux_close(data)
        pipe?.close()
        page.unmap()
    }

    private func ready(_ readiness: Readiness) {
        if readiness.contains(.write) { flush() }
        if readiness.isDisjoint(with: [.read, .hangup]) { return }
        if child?.pid == 0, !readiness.contains(.hangup) {
            // It was quicker than the zygote's word of it.
            isHeld = true
            updateInterest()
        } else {
            readOnce()
        }
    }

    private func updateInterest() {
        let reading: Readiness = isHeld || isHeldBack || resting != nil ? [] : .read
        watch?.change(to: wantsWrite ? reading.union(.write) : reading)
    }

    /// True when more may be there.
    @discardableResult
    private func readOnce() -> Bool {
        guard isOpen, !endSeen else { return false }
        return withReadBuffer { buffer in
            let got = clinux_receive(data, buffer.baseAddress, buffer.count)
            if got == -Int(EAGAIN) { return false }
            if got <= 0 {
                // A socket at its end is ready for ever.
                endSeen = true
                watch?.cancel()
                watch = nil
                events.violation("it shut its data socket", on: self)
                return false
            }
            mayHaveWritten = true
            do throws(FrameReader.Violation) {
                try reader.feed(UnsafeRawBufferPointer(rebasing: buffer[..<got])) { header, payload in
                    events.frame(header, payload, on: self)
                }
            } catch {
                events.violation(error.text, on: self)
                return false
            }
            return got == buffer.count
        }
    }
}
