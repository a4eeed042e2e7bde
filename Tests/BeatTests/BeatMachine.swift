// One beat of a simulated cluster: its process, its clock, its loop and its claim to lead.
import Ports
import TaskModel

@testable import Beat

final class BeatMachine {
    private unowned let world: BeatWorld
    private let entries: [BeatEntry]
    /// How far its wall clock is from the true time, seconds.
    var clockError = 0.0
    private var process: Process?
    private var frozenUntil = 0.0

    /// Goes with the process that has it.
    private final class Process {
        var service: BeatService?
        var heard: (LeadershipEvent) -> Void = { _ in }
        var leads = false
        var isWaiting = false
    }

    /// An hour, so that a year passes quickly; nothing else wakes a beat between two due times.
    private static let longestSleep = 3600.0

    init(_ world: BeatWorld, _ entries: [BeatEntry]) {
        self.world = world
        self.entries = entries
    }

    var isUp: Bool { process != nil }
    var isFrozen: Bool { world.now < frozenUntil }
    var wantsSeat: Bool { process?.isWaiting == true && !isFrozen }
    var holdsSeat: Bool { process != nil && !isFrozen }
    var wall: WallTime { world.start.advanced(bySeconds: world.now + clockError) }

    func boot() {
        let process = Process()
        self.process = process
        let service = BeatService(
            entries, loop: self, leadership: self, longestSleep: Self.longestSleep,
            send: { [unowned self] in send($0, $1) }, note: { _ in })
        process.service = service
        service.start()
    }

    func kill() {
        guard isUp else { return }
        process = nil
        frozenUntil = 0
        world.faults.kills += 1
        world.seatIsLost(by: self)
        world.later(Double.random(in: 0.5...900, using: &world.random)) { [self] in
            if !isUp { boot() }
        }
    }

    /// Ends in order, and starts again.
    func restart() {
        guard let process, let service = process.service else { return }
        world.faults.stops += 1
        service.stop { [self] in
            guard self.process === process else { return }
            self.process = nil
            boot()
        }
    }

    func freeze() {
        guard isUp else { return }
        world.faults.freezes += 1
        frozenUntil = world.now + Double.random(in: 0.1...30, using: &world.random)
        world.seatIsLost(by: self)
    }

    // ---- steps of this process: each may be its last, and waits while it is frozen ----

    private func inProcess(after seconds: Double, _ act: @escaping () -> Void) {
        let process = process
        world.later(seconds) { [self] in
            guard let process, process === self.process else { return }
            if isFrozen { return inProcess(after: frozenUntil - world.now, act) }
            if world.chance(in: world.deadlySteps) { return kill() }
            act()
        }
    }

    private func send(_ run: DueRun, _ done: @escaping (BeatService.Sending) -> Void) {
        let arrival = BeatWorld.Arrival(name: run.name, due: run.time, id: run.taskID, sentAt: wall)
        let sender = process
        world.later(world.delay()) { [self] in
            // On its way, it may die with its sender.
            if sender !== process, Bool.random(using: &world.random) { return }
            world.arrive(arrival)
            guard world.chance(in: world.lostConfirms) else {
                return inProcess(after: world.delay()) { done(.confirmed) }
            }
            world.faults.lostConfirms += 1
            inProcess(after: world.delay()) { done(.failed("the confirm is lost")) }
        }
    }

    // ---- its seat ----

    func takesSeat(_ memory: [UInt8]?) {
        guard let process else { return }
        process.isWaiting = false
        process.leads = true
        inProcess(after: world.delay()) { process.heard(.leading(memory: memory)) }
    }

    /// It sees so by itself, and hears it later.
    func seatWasTaken() {
        guard let process, process.leads else { return }
        process.leads = false
        inProcess(after: world.delay()) { [self] in lost(process) }
    }

    private func lost(_ process: Process) {
        process.leads = false
        process.heard(.lost("another leads"))
        standBy(process)
    }

    private func standBy(_ process: Process) {
        process.isWaiting = true
        process.heard(.following)
        world.fillSeat()
    }
}

extension BeatMachine: Leadership {
    var isLeading: Bool { process?.leads == true }

    func campaign(_ heard: @escaping (LeadershipEvent) -> Void) {
        guard let process else { return }
        process.heard = heard
        inProcess(after: world.delay()) { [self] in standBy(process) }
    }

    func remember(_ memory: [UInt8], done: @escaping () -> Void) {
        let process = process
        world.later(world.delay()) { [self] in
            let isStored = world.store(memory, for: self)
            guard let process else { return }
            inProcess(after: world.delay()) { [self] in isStored ? done() : lost(process) }
        }
    }

    func resign(done: @escaping () -> Void) {
        process?.leads = false
        process?.heard = { _ in }
        process?.isWaiting = false
        inProcess(after: world.delay()) { [self] in
            done()
            world.resigned(self)
        }
    }
}

extension BeatMachine: EventLoop {
    var clocks: Clocks {
        Clocks(monotonic: Instant(nanoseconds: UInt64(world.now * 1e9)), wall: wall)
    }

    func schedule(afterSeconds seconds: Double, _ fire: @escaping () -> Void) -> any LoopTimer {
        let timer = Timer()
        inProcess(after: seconds) { if !timer.isCancelled { fire() } }
        return timer
    }

    private final class Timer: LoopTimer {
        private(set) var isCancelled = false
        func cancel() { isCancelled = true }
    }

    func watch(
        _ descriptor: Int32, for interest: Readiness, _ ready: @escaping (Readiness) -> Void
    ) -> any LoopWatch { fatalError("beat watches no descriptor") }
    func atTurnEnd(_ flush: @escaping () -> Void) {}
    func post(_ work: @escaping @Sendable () -> Void) { fatalError("beat has no other threads") }
}
