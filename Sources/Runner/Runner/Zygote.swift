// One taskhost-runner process with one version of one bundle.

internal import CLinux
internal import CRunnerProtocol
internal import Glibc
internal import Ports
internal import TaskModel

/// How a zygote's life ended.
enum ZygoteEnd {
    /// It would not serve this file. A sentence with file, reason and fix; not to be tried again with the same file.
    case refused(String)
    /// It did not come to serve, which is not known to be the file's fault: it was killed, was too slow, or the system
    /// had no room for it.
    case failed(String)
    /// It died while it served.
    case died(String)
    /// It exited on our order.
    case retired

    var isDeath: Bool { if case .died = self { true } else { false } }

    var text: String {
        switch self {
        case .refused(let sentence), .failed(let sentence), .died(let sentence): sentence
        case .retired: "its runner left"
        }
    }
}

protocol ZygoteOwner: AnyObject {
    func zygoteReady(_ zygote: Zygote)
    /// Its process and its children are gone. `lost`: runs that were under way.
    func zygoteEnded(_ zygote: Zygote, _ end: ZygoteEnd, lost: [LostRun])
}

final class Zygote {
    enum Phase { case loading, ready, retiring, dying, ended }

    let copy: PrivateCopy
    let pid: Int32
    let startedAt: UInt64
    private(set) var phase = Phase.loading
    private(set) var manifest: BundleManifest?
    private(set) var childPool: ChildPool!

    private unowned let owner: any ZygoteOwner
    private let loop: any EventLoop
    private let options: RunnerOptions
    private let log: RunnerLog
    private let token: String
    private var control: ControlSocket!
    private var output: OutputPipe!
    private var captured = OutputCapture()
    private var death: (any LoopWatch)?
    private let deathDescriptor: Int32
    private var deadline: (any LoopTimer)?
    private var manifestText: [UInt8] = []
    /// What it said against the file, or we did.
    private var refusal: String?
    /// Why we killed it.
    private var killReason: String?
    private var silence = ZygoteSilence()
    private var leftovers: Leftovers?

    init(
        _ copy: PrivateCopy, options: RunnerOptions, loop: any EventLoop, sequence: SequenceSource, sink: any RunSink,
        owner: any ZygoteOwner, early: EarlyZygote? = nil, log: @escaping RunnerLog
    ) throws(RunnerFailure) {
        let options = options.options(of: copy.original)
        self.copy = copy
        self.options = options
        self.loop = loop
        self.owner = owner
        self.log = log
        startedAt = early?.startedAt ?? clinux_monotonic_ns()
        token = early?.token ?? Self.token(startedAt)
        let spawned: SpawnedZygote
        if let early {
            spawned = early.spawned
        } else {
            spawned = try SpawnedZygote(copy, options: options, token: token)
        }
        pid = spawned.pid
        deathDescriptor = spawned.death
        OwnChildren.insert(pid)
        control = ControlSocket(
            spawned.control, loop: loop,
            received: { [unowned self] record, text in received(record, text) },
            ended: { [unowned self] in controlEnded() })
        output = OutputPipe(spawned.output, loop: loop) { [unowned self] bytes in said(bytes) }
        let symbols = SymbolSource(copy)
        childPool = ChildPool(
            loop: loop, control: control, zygote: pid, options: options, sequence: sequence, sink: sink, log: log,
            symbolize: { DeathReport.lines(crashText: $0, symbols: symbols) })
        death = loop.watch(deathDescriptor, for: .read) { [unowned self] _ in died() }
        deadline = loop.schedule(afterSeconds: options.loadTimeoutSeconds) { [unowned self] in loadTimedOut() }
        early?.said.withUnsafeBytes { said($0) }
    }

    static func token(_ startedAt: UInt64) -> String { "\(getpid())-\(startedAt)" }

    /// No new work; it leaves when nothing is running any more.
    func retire() {
        guard phase == .ready || phase == .loading else { return }
        if phase == .loading { return kill("it was not wanted any more") }
        phase = .retiring
        childPool.retire()
        control.send(control_record(RUNNER_RETIRE))
    }

    /// Now, with all its children; the runs under way are reported by `zygoteEnded`.
    func kill(_ reason: String) {
        guard death != nil else { return }
        if killReason == nil { killReason = reason }
        _ = clinux_pidfd_send_signal(deathDescriptor, SIGKILL)
    }

    /// Twice a second: the children's affairs, and whether it still listens.
    func tidy() {
        guard phase == .ready || phase == .retiring, death != nil else { return }
        childPool.tidy()
        switch silence.tick(pending: control.pending) {
        case .fine: break
        case .ask: control.send(control_record(RUNNER_PING))
        // Somebody looks at it with a debugger.
        case .hung where ProcessStatus.isTraced(pid): silence.answered()
        case .hung:
            let reason = "the zygote of \(copy.original) has not answered for \(Int(ZygoteSilence.seconds)) s"
            log(.error, "\(reason) (stopped, or hung): killed with its children")
            kill(reason)
        }
    }

    func flush() {
        switch phase {
        case .loading, .dying, .ended: control.flush()
        case .ready, .retiring: childPool.flush()
        }
    }

    // ---- what it says ----

    private func received(_ record: control_record, _ text: UnsafeRawBufferPointer) {
        silence.answered()
        switch record.type {
        case RUNNER_LOADING.rawValue: break
        case RUNNER_MANIFEST_PART.rawValue: manifestText.append(contentsOf: text)
        case RUNNER_READY.rawValue: becameReady()
        case RUNNER_REFUSED.rawValue: refusal = String(decoding: text, as: UTF8.self)
        case RUNNER_FORKED.rawValue: childPool.forked(record)
        case RUNNER_FORK_FAILED.rawValue: childPool.forkFailed(record)
        case RUNNER_LANE_FAILED.rawValue: childPool.laneFailed(record)
        case RUNNER_PONG.rawValue: break
        case RUNNER_CRASH.rawValue: childPool.crashed(record, text)
        case RUNNER_EXITED.rawValue: childPool.exited(record)
        case RUNNER_ZYGOTE_LOG.rawValue:
            log(LogLevel(clamping: Int(record.status)), "\(copy.original): \(String(decoding: text, as: UTF8.self))")
        default:
            log(.warning, "\(copy.original): its runner sent a record of unknown type \(record.type)")
        }
    }

    private func becameReady() {
        guard phase == .loading, refusal == nil else { return }
        do throws(RunnerFailure) {
            manifest = try BundleManifest(parsing: manifestText)
        } catch {
            refusal = "\(copy.original) cannot be used: \(error). Build it again with this version's SDK."
            return kill("its manifest is refused")
        }
        deadline?.cancel()
        manifestText = []
        childPool.hasLastWord = manifest?.hasLastWord ?? false
        phase = .ready
        owner.zygoteReady(self)
    }

    private func loadTimedOut() {
        kill(
            "\(copy.original) was still loading after \(options.loadTimeoutSeconds) s."
                + " It must only register its tasks when it is loaded; do the work in the tasks.")
    }

    private func said(_ bytes: UnsafeRawBufferPointer) {
        let now = loop.clocks.monotonic.nanoseconds
        captured.append(bytes, now: now) { log(.info, "\(copy.original) says: \($0)") }
    }

    // ---- its end ----

    private func controlEnded() {
        // Its socket is closed, so it has left, or somebody closed it: it is of no use any more.
        if death != nil { _ = clinux_pidfd_send_signal(deathDescriptor, SIGKILL) }
    }

    private func died() {
        var status: Int32 = 0
        let reaped = clinux_reap(pid, &status)
        guard reaped != 0 else { return }
        OwnChildren.remove(pid)
        death?.cancel()
        death = nil
        _ = clinux_close(deathDescriptor)
        deadline?.cancel()
        // Its last words.
        control.receiveAll()
        output.drain()
        _ = captured.finish { log(.info, "\(copy.original) says: \($0)") }
        let end = end(status: reaped > 0 ? status : 0)
        phase = .dying
        control.close()
        output.close()
        let (pids, lost) = childPool.zygoteGone()
        let sweep = Leftovers(
            of: [pid] + pids, token: token, all: options.ownsAllChildren, loop: loop, log: log)
        leftovers = sweep
        sweep.clear { [unowned self] in
            leftovers = nil
            phase = .ended
            owner.zygoteEnded(self, end, lost: lost)
        }
    }

    private func end(status: Int32) -> ZygoteEnd {
        if phase == .loading {
            if let refusal { return .refused(refusal) }
            if let killReason { return .failed(killReason) }
            let sentence = "\(copy.original) cannot be used: loading it, the runner \(endText(waitStatus: status))."
            return Self.isOfTheSystem(status)
                ? .failed(sentence)
                : .refused(
                    sentence + " Look for code that runs when the library is loaded (constructors, global objects).")
        }
        if phase == .retiring, clinux_wait_exited(status) { return .retired }
        return .died(killReason ?? "the zygote of \(copy.original) \(endText(waitStatus: status))")
    }

    /// SIGKILL comes from outside (an administrator, the kernel short of memory); EX_OSERR is its word for no room.
    private static func isOfTheSystem(_ status: Int32) -> Bool {
        clinux_wait_signaled(status)
            ? clinux_wait_signal(status) == SIGKILL
            : clinux_wait_exit_status(status) == RUNNER_EXIT_SYSTEM
    }
}

/// Whether a zygote still listens. Counted in ticks of our own, so that a host that was stopped itself, or starved,
/// is not taken for a fault of the bundle.
struct ZygoteSilence {
    static let seconds = 5.0
    private static let ticksPerSecond = 2
    private static let askAfter = 2
    /// Records for one that does not read.
    private static let maxPending = 10_000

    enum Judgement { case fine, ask, hung }

    private var ticks = 0

    mutating func answered() { ticks = 0 }

    mutating func tick(pending: Int) -> Judgement {
        ticks += 1
        let patience = Self.askAfter + Int(Self.seconds) * Self.ticksPerSecond
        if ticks > patience || pending > Self.maxPending { return .hung }
        return ticks == Self.askAfter ? .ask : .fine
    }
}
