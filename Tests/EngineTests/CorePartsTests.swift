// Structs of the core whose rules no schedule tests by themselves: a stop, states on the way, the steps of a
// settlement.
import Ports
import TaskModel
import Testing

@testable import Engine

@Suite("Parts of the core")
struct CorePartsTests {
    private let now = Instant(nanoseconds: 1_000_000_000)

    @Test("a stop never becomes softer, and a harder one leaves running tasks no more time")
    func stop() {
        var life = Lifecycle()
        #expect(life.stop(.warm) && !life.stop(.warm))
        #expect(life.grace(10, at: now) == 10)
        #expect(life.stop(.soft) && life.grace(60, at: now.advanced(bySeconds: 4)) == 6)
        #expect(life.stop(.cold) && !life.stop(.warm) && life.stopping == .cold)
        // The grace period has one second left: a cold stop gets that and 0.4 s.
        #expect(abs(life.abandonAfter(at: now.advanced(bySeconds: 9)) - 1.4) < 1e-6)
        #expect(abs(life.closeWithin(at: now.advanced(bySeconds: 60)) - Lifecycle.lateSeconds) < 1e-6)
        #expect(life.becomesStopped() && !life.becomesStopped())
    }

    @Test("a link that is down goes down once")
    func link() {
        var life = Lifecycle()
        #expect(life.linkDown() == false)
        life.linkUp()
        #expect(life.linkDown() && !life.linkDown() && !life.isLinkUp)
    }

    @Test("of states that come while one is stored the newest is stored, and none after the outcome")
    func states() {
        func state(_ name: String) -> ResultRecord {
            ResultRecord(
                taskID: "id", state: TaskState(rawValue: name), meta: [], replyTo: nil, correlationID: nil,
                expiresAfterSeconds: nil)
        }
        var states = StateWrites()
        #expect(states.add(state("A")) != nil && states.add(state("B")) == nil && states.add(state("C")) == nil)
        #expect(states.stored()?.state.rawValue == "C" && states.isStoring)
        #expect(states.stored() == nil && !states.isStoring)
        #expect(states.add(state("D")) != nil && states.add(state("E")) == nil)
        states.end()
        #expect(states.isStoring && states.stored() == nil && !states.isStoring)
    }

    @Test("while a store answers nothing, what waits tells why it is away; a failure that it told comes first")
    func reason() {
        let world = SimulatedWorld(seed: 1)
        #expect(world.core.backlog.reason == "no answer")
        world.post(.storeDown(reason: "connection refused"))
        #expect(world.core.backlog.reason == "connection refused")
        world.recordRefusal = { _ in StoreFailure("WRONGPASS", .refused) }
        world.send("id")
        world.connect()
        for _ in 0..<2_000 where world.core.backlog.waiting == 0 { world.run(steps: 1) }
        #expect(world.core.backlog.reason.contains("WRONGPASS"))
        world.recordRefusal = { _ in nil }
        world.post(.storeUp)
        world.run()
        #expect(world.core.backlog.reason == "no answer")
    }

    @Test("attempts are those of the step under way, and other steps in their place are another attempt at the task")
    func settling() {
        let settling = Settling([.pause(1), .acknowledge], isDone: true)
        #expect(settling.failed() == 1 && settling.failed() == 2 && settling.isRetrying)
        settling.resumes()
        settling.insertNext([.pause(2)])
        settling.replaceFirst()
        #expect(settling.steps.count == 2 && settling.failed() == 1 && settling.isDone)
        settling.replaceAll(by: [.reject(requeue: true)])
        #expect(settling.steps.count == 1 && settling.attempts == 0 && !settling.isDone)
    }

    @Test("a paused queue has no credit of its own, and messages that wait for their time come on top of it")
    func intake() {
        let queue = QueuePreference(declaration: QueueDeclaration(name: "q"))
        var intake = Intake(.usual(slots: 2, queues: [queue], nodeName: "n"))
        let usual = intake.credit("q")
        intake.beginDelay("q", size: 10)
        #expect(intake.credit("q") == usual + 1 && !intake.delaysNothing)
        intake.endDelay("q", size: 10)
        #expect(intake.credit("q") == usual && intake.delaysNothing)
        #expect(intake.pause("q") && !intake.pause("q") && !intake.pause("other"))
        #expect(intake.isClosed("q") && intake.resume("q") && !intake.isClosed("q"))
        intake.restorePaused(["q", "gone"])
        #expect(intake.paused == ["q"] && intake.remove("q") && intake.paused.isEmpty && !intake.remove("q"))
    }

    @Test("a task that finds no room closes all queues until half of the memory is free")
    func memory() {
        let queue = QueuePreference(declaration: QueueDeclaration(name: "q"))
        var options = EngineOptions.usual(slots: 2, queues: [queue], nodeName: "n")
        options.maxHeldBytes = 100_000
        var intake = Intake(options)
        for _ in 0..<4 { intake.takes(20_000) }
        #expect(!intake.hasRoom(bodyBytes: 20_000) && intake.overflows() && !intake.overflows())
        intake.releases(20_000)
        #expect(!intake.reopens() && intake.isClosed("q"))
        intake.releases(20_000)
        #expect(intake.reopens() && !intake.reopens() && !intake.isClosed("q"))
    }
}
