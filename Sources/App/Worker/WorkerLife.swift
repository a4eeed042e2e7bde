// A worker's life: which signal, command or failure leads to which step, from its start to its exit status. Pure: events
// in, actions out; `WorkerRun` carries them out.
import Engine
import Glibc
import Output

struct WorkerLife {
    enum Phase: Equatable {
        /// Bundles load, links are made.
        case starting
        /// It is ready: tasks are taken, and commands for all workers reach it, unless it was waited for in vain.
        case serving
        case stopping(StopKind)
        /// The loop stops; nothing is done any more.
        case over
    }

    enum Event: Equatable {
        /// The queues are consumed for the first time.
        case consuming
        /// Commands for all workers reach this one.
        case subscribed
        /// Answers `awaitSubscription`. A worker that shares its name with another is never subscribed on RabbitMQ.
        case subscriptionOverdue
        case linkUp
        /// Bundles have changed.
        case catalog(isLoading: Bool)
        /// - Parameter runsTasks: a soft stop of a worker that runs nothing has nothing to wait for.
        case signal(Int32, runsTasks: Bool)
        /// The time of the engine's stop was over, and it has made it a harder one.
        case hardened(StopKind)
        /// Remote control's `shutdown`.
        case shutdownCommand
        /// None of the bundles could be loaded.
        case noBundle
        /// The broker will not let us work, however often we try.
        case brokerRefused
        /// The engine has settled, or given up, all it had, and closes its links.
        case closing
        case engineStopped
        /// Answers `stopBeat`.
        case beatStopped
        /// Answers `closeHooks`.
        case hooksClosed
        /// Answers `limitEnd`.
        case endOverdue
    }

    enum Action: Equatable {
        /// `subscriptionOverdue` after so many seconds.
        case awaitSubscription(seconds: Double)
        /// To the log, monitors, systemd and probes.
        case reportReady(isSubscribed: Bool)
        /// Monitors learn that this worker is online.
        case announce
        case replaceSchedules
        case startBeat
        /// Log file and plugins folders are looked at again.
        case reload
        /// To systemd and probes.
        case reportStopping
        case stopBeat
        case stopEngine(StopKind, cause: String)
        case closeEvents
        case closeControl
        /// `endOverdue` in a little more than the time that hooks have.
        case limitEnd
        case closeHooks
        case warnOfLeaving
        case stopLoop
    }

    private enum BeatState { case none, waiting, sending, over }

    private(set) var phase = Phase.starting
    /// Of the process, once it is over.
    private(set) var status = ExitStatus.success
    private let signals: StopSignals
    private var consumes = false
    private var isSubscribed = false
    private var beat: BeatState
    /// What must end before we do: the engine with its hooks, and beat.
    private var unfinished: Int

    private static let subscriptionSeconds = 5.0

    init(signals: StopSignals, hasBeat: Bool) {
        self.signals = signals
        beat = hasBeat ? .waiting : .none
        unfinished = hasBeat ? 2 : 1
    }

    mutating func handle(_ event: Event) -> [Action] {
        guard phase != .over else { return [] }
        switch event {
        case .consuming:
            consumes = true
            guard phase == .starting, !isSubscribed else { return readyIfSo() }
            return [.awaitSubscription(seconds: Self.subscriptionSeconds)]
        case .subscribed:
            isSubscribed = true
            return readyIfSo()
        case .subscriptionOverdue: return phase == .starting ? becomeReady() : []
        // Before it is ready it does not say that it is online: monitors at once ask a worker that does.
        case .linkUp: return phase == .starting ? [] : [.announce]
        case .catalog(let isLoading): return isLoading ? [] : scheduleLoaded()
        case .signal(SIGHUP, _): return [.reload]
        case .signal(let number, let runsTasks): return obey(number, runsTasks)
        case .hardened(let kind):
            note(kind)
            return []
        case .shutdownCommand: return stopping == nil ? stop(.warm, because: "the command shutdown") : []
        case .noBundle:
            status = .noBundle
            return stop(.cold, because: "no bundle could be loaded")
        case .brokerRefused:
            status = .unavailable
            return stop(.warm, because: "the broker refuses us")
        case .closing: return [.closeEvents]
        // An unreachable broker keeps beat's lease, and slow hooks their process: neither must keep us.
        case .engineStopped: return [.closeControl, .limitEnd, .closeHooks]
        case .beatStopped, .hooksClosed: return finishOne()
        case .endOverdue: return leave()
        }
    }

    var stopping: StopKind? { if case .stopping(let kind) = phase { kind } else { nil } }

    // ---- start ----

    private mutating func readyIfSo() -> [Action] {
        phase == .starting && consumes && isSubscribed ? becomeReady() : []
    }

    private mutating func becomeReady() -> [Action] {
        phase = .serving
        return [.reportReady(isSubscribed: isSubscribed)]
    }

    private mutating func scheduleLoaded() -> [Action] {
        switch beat {
        case .none, .over: return []
        case .sending: return [.replaceSchedules]
        case .waiting:
            beat = .sending
            return [.replaceSchedules, .startBeat]
        }
    }

    // ---- stop ----

    private mutating func obey(_ number: Int32, _ runsTasks: Bool) -> [Action] {
        if number == SIGINT { status = .failure }
        switch signals.order(on: number, stopping: stopping, runsTasks: runsTasks) {
        case .stop(let kind): return stop(kind, because: StopSignals.name(of: number))
        case .leave:
            status = .failure
            return [.warnOfLeaving] + leave()
        }
    }

    /// - Parameter cause: a signal, a command, or what went wrong.
    private mutating func stop(_ kind: StopKind, because cause: String) -> [Action] {
        let isFirst = stopping == nil
        note(kind)
        let engine = Action.stopEngine(kind, cause: cause)
        // Others may lead at once; what is being sent is confirmed before the engine's broker closes.
        return isFirst ? [.reportStopping] + stopBeat() + [engine] : [engine]
    }

    /// A stop under way becomes harder, never softer.
    private mutating func note(_ kind: StopKind) {
        phase = .stopping(max(kind, stopping ?? kind))
    }

    private mutating func stopBeat() -> [Action] {
        defer { if beat != .none { beat = .over } }
        switch beat {
        case .none, .over: return []
        case .waiting: return finishOne()
        case .sending: return [.stopBeat]
        }
    }

    private mutating func finishOne() -> [Action] {
        unfinished -= 1
        return unfinished == 0 ? leave() : []
    }

    private mutating func leave() -> [Action] {
        phase = .over
        return [.stopLoop]
    }
}
