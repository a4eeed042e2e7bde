// A worker's life, event by event.
import Engine
import Glibc
import Testing

@testable import Worker

@Suite("A worker's life")
struct WorkerLifeTests {
    private func begun(soft: Double = 0, termIsQuit: Bool = false, beat: Bool = false) -> WorkerLife {
        WorkerLife(signals: StopSignals(softSeconds: soft, treatsTermAsQuit: termIsQuit), hasBeat: beat)
    }

    /// One that serves.
    private func serving(soft: Double = 0, beat: Bool = false) -> WorkerLife {
        var made = begun(soft: soft, beat: beat)
        _ = made.handle(.catalog(isLoading: false))
        _ = made.handle(.consuming)
        _ = made.handle(.subscribed)
        return made
    }

    private func signal(_ number: Int32, runsTasks: Bool = true) -> WorkerLife.Event {
        .signal(number, runsTasks: runsTasks)
    }

    /// The engine has stopped; hooks are closed.
    private func end(_ life: inout WorkerLife) -> [WorkerLife.Action] {
        let actions = life.handle(.closing) + life.handle(.engineStopped)
        #expect(actions == [.closeEvents, .closeControl, .limitEnd, .closeHooks])
        return life.handle(.hooksClosed)
    }

    // ---- start ----

    @Test("it is ready once it consumes and remote control reaches it, in either order, and once only")
    func ready() {
        var one = begun()
        #expect(one.handle(.consuming) == [.awaitSubscription(seconds: 5)])
        #expect(one.phase == .starting)
        #expect(one.handle(.subscribed) == [.reportReady(isSubscribed: true)])
        #expect(one.phase == .serving)
        #expect(one.handle(.subscriptionOverdue) == [])
        #expect(one.handle(.subscribed) == [])
        var other = begun()
        #expect(other.handle(.subscribed) == [])
        #expect(other.handle(.consuming) == [.reportReady(isSubscribed: true)])
    }

    @Test("a worker that remote control does not reach is ready all the same, after its time, and says so")
    func unsubscribed() {
        var life = begun()
        _ = life.handle(.consuming)
        #expect(life.handle(.subscriptionOverdue) == [.reportReady(isSubscribed: false)])
        #expect(life.handle(.subscribed) == [])
    }

    @Test("monitors learn that it is online when it is ready, and again after a lost link, not before")
    func online() {
        var life = begun()
        #expect(life.handle(.linkUp) == [])
        _ = life.handle(.consuming)
        _ = life.handle(.subscribed)
        #expect(life.handle(.linkUp) == [.announce])
    }

    @Test("HUP reloads, whenever it comes, and stops nothing")
    func reload() {
        var life = serving()
        #expect(life.handle(signal(SIGHUP)) == [.reload])
        #expect(life.phase == .serving)
    }

    // ---- stop ----

    @Test("TERM stops warm: service manager and probes learn it before the engine stops; exit status 0")
    func term() {
        var life = serving()
        #expect(life.handle(signal(SIGTERM)) == [.reportStopping, .stopEngine(.warm, cause: "SIGTERM")])
        #expect(life.phase == .stopping(.warm))
        #expect(end(&life) == [.stopLoop])
        #expect(life.phase == .over && life.status == .success)
    }

    @Test("a second TERM stops now, a third leaves at once with status 1; the stop is reported once")
    func again() {
        var life = serving()
        _ = life.handle(signal(SIGTERM))
        #expect(life.handle(signal(SIGTERM)) == [.stopEngine(.cold, cause: "SIGTERM")])
        #expect(life.status == .success)
        #expect(life.handle(signal(SIGTERM)) == [.warnOfLeaving, .stopLoop])
        #expect(life.phase == .over && life.status == .failure)
        #expect(life.handle(signal(SIGTERM)) == [] && life.handle(.engineStopped) == [])
    }

    @Test("INT stops as TERM does, with exit status 1")
    func int() {
        var life = serving()
        #expect(life.handle(signal(SIGINT)) == [.reportStopping, .stopEngine(.warm, cause: "SIGINT")])
        #expect(end(&life) == [.stopLoop])
        #expect(life.status == .failure)
    }

    @Test("QUIT stops now; with a soft time what runs has that first")
    func quit() {
        var life = serving()
        #expect(life.handle(signal(SIGQUIT)) == [.reportStopping, .stopEngine(.cold, cause: "SIGQUIT")])
        #expect(life.handle(signal(SIGQUIT)) == [.warnOfLeaving, .stopLoop])
        var soft = serving(soft: 5)
        #expect(soft.handle(signal(SIGQUIT)) == [.reportStopping, .stopEngine(.soft, cause: "SIGQUIT")])
        #expect(soft.handle(signal(SIGQUIT)) == [.stopEngine(.cold, cause: "SIGQUIT")])
        var idle = serving(soft: 5)
        #expect(idle.handle(signal(SIGQUIT, runsTasks: false)).last == .stopEngine(.cold, cause: "SIGQUIT"))
    }

    @Test("after its grace the engine stops cold by itself; the next signal leaves at once")
    func graceOver() {
        var life = serving()
        _ = life.handle(signal(SIGTERM))
        #expect(life.handle(.hardened(.cold)) == [])
        #expect(life.phase == .stopping(.cold))
        #expect(life.handle(signal(SIGTERM)) == [.warnOfLeaving, .stopLoop])
    }

    @Test("TERM while it starts: it is never ready afterwards, and ends as any")
    func whileStarting() {
        var life = begun(beat: true)
        // Beat waits for the bundles still: there is nothing of it to stop.
        #expect(life.handle(signal(SIGTERM)) == [.reportStopping, .stopEngine(.warm, cause: "SIGTERM")])
        #expect(life.handle(.consuming) == [] && life.handle(.subscribed) == [])
        #expect(life.handle(.subscriptionOverdue) == [])
        #expect(life.handle(.catalog(isLoading: false)) == [])
        #expect(end(&life) == [.stopLoop])
        #expect(life.status == .success)
    }

    @Test("the command shutdown stops warm, and does not harden a stop under way")
    func shutdown() {
        var life = serving()
        #expect(
            life.handle(.shutdownCommand) == [.reportStopping, .stopEngine(.warm, cause: "the command shutdown")])
        #expect(life.handle(.shutdownCommand) == [])
        #expect(life.phase == .stopping(.warm))
    }

    @Test("without a bundle that loads it stops now, with a status of its own")
    func noBundle() {
        var life = begun()
        #expect(
            life.handle(.noBundle) == [.reportStopping, .stopEngine(.cold, cause: "no bundle could be loaded")])
        #expect(end(&life) == [.stopLoop])
        #expect(life.status == .noBundle)
    }

    @Test("a broker that refuses us ends it with its status; a stop under way is not softened")
    func refused() {
        var life = serving()
        #expect(
            life.handle(.brokerRefused) == [.reportStopping, .stopEngine(.warm, cause: "the broker refuses us")])
        #expect(life.status == .unavailable)
        var stopping = serving()
        _ = stopping.handle(signal(SIGQUIT))
        _ = stopping.handle(.brokerRefused)
        #expect(stopping.phase == .stopping(.cold))
    }

    // ---- beat ----

    @Test("beat starts with the first bundles that are loaded; later ones replace its schedules")
    func beatStarts() {
        var life = begun(beat: true)
        #expect(life.handle(.catalog(isLoading: true)) == [])
        #expect(life.handle(.catalog(isLoading: false)) == [.replaceSchedules, .startBeat])
        #expect(life.handle(.catalog(isLoading: false)) == [.replaceSchedules])
        var without = begun()
        #expect(without.handle(.catalog(isLoading: false)) == [])
    }

    @Test("beat gives its lease back before the engine stops, and both are waited for, in either order")
    func beatStops() {
        var one = serving(beat: true)
        #expect(one.handle(signal(SIGTERM)) == [.reportStopping, .stopBeat, .stopEngine(.warm, cause: "SIGTERM")])
        #expect(one.handle(.beatStopped) == [])
        #expect(end(&one) == [.stopLoop])
        var other = serving(beat: true)
        _ = other.handle(signal(SIGTERM))
        #expect(end(&other) == [])
        #expect(other.handle(.beatStopped) == [.stopLoop])
    }

    @Test(
        "a beat that has lost its lease, or never had it, and does not answer keeps the worker no longer than its time")
    func beatWithoutLease() {
        var life = serving(beat: true)
        _ = life.handle(signal(SIGTERM))
        #expect(end(&life) == [])
        #expect(life.handle(.endOverdue) == [.stopLoop])
        #expect(life.phase == .over && life.status == .success)
        #expect(life.handle(.beatStopped) == [])
    }
}
