// The loop keeps its port's promises: order, precision, no callback after cancel, thread-safe posts.

import CLinux
import Glibc
import Loop
import Ports
import Testing

@Suite("the loop")
struct LoopTests {
    @Test("a timer never fires early, and soon after it is due")
    func timerPrecision() throws {
        let loop = try EpollLoop()
        var lateness: [Double] = []
        for milliseconds in [1, 2, 5, 10, 20] {
            let begun = clinux_monotonic_ns()
            var fired = false
            _ = loop.schedule(afterSeconds: Double(milliseconds) / 1000) {
                lateness.append(Double(clinux_monotonic_ns() - begun) / 1e6 - Double(milliseconds))
                fired = true
            }
            loop.run(until: { fired }, timeoutSeconds: 5)
        }
        #expect(lateness.count == 5)
        #expect(lateness.allSatisfy { $0 >= 0 && $0 < 500 }, "late by (ms): \(lateness)")
    }

    @Test("timers fire in order of their deadlines, equal ones in order of scheduling")
    func timerOrder() throws {
        let loop = try EpollLoop()
        var order: [Int] = []
        for number in [5, 3, 1, 4, 2] {
            _ = loop.schedule(afterSeconds: Double(number) / 1000) { order.append(number) }
        }
        loop.run(until: { order.count == 5 }, timeoutSeconds: 5)
        #expect(order == [1, 2, 3, 4, 5])
    }

    @Test("ten thousand timers, nine of ten cancelled: the others fire, once each, in order")
    func manyTimers() throws {
        let loop = try EpollLoop()
        var fired: [Int] = []
        var timers: [any LoopTimer] = []
        for number in 0..<10_000 {
            let delay = Double((number &* 7919) % 10_000) / 1e6
            timers.append(loop.schedule(afterSeconds: delay) { fired.append(number) })
        }
        for (number, timer) in timers.enumerated() where number % 10 != 0 {
            timer.cancel()
            timer.cancel()
        }
        loop.run(until: { fired.count >= 1000 }, timeoutSeconds: 5)
        loop.runOnce(timeoutSeconds: 0.02)
        #expect(fired.count == 1000)
        #expect(Set(fired).count == 1000)
        #expect(fired.allSatisfy { $0 % 10 == 0 })
    }

    @Test("a cancelled timer and a fired one free what they hold")
    func timersFreeTheirClosures() throws {
        final class Witness {}
        let loop = try EpollLoop()
        weak var cancelled: Witness?
        weak var fired: Witness?
        var kept: [any LoopTimer] = []
        var done = false
        do {
            let first = Witness()
            let second = Witness()
            cancelled = first
            fired = second
            kept.append(loop.schedule(afterSeconds: 60) { _ = first })
            kept.append(
                loop.schedule(afterSeconds: 0) {
                    _ = second
                    done = true
                })
        }
        kept[0].cancel()
        loop.run(until: { done }, timeoutSeconds: 5)
        #expect(cancelled == nil)
        #expect(fired == nil)
    }

    @Test("a descriptor is told ready again until it is read")
    func levelTriggered() throws {
        let loop = try EpollLoop()
        var ends: [Int32] = [0, 0]
        #expect(clinux_socketpair_stream(&ends) == 0)
        defer { for end in ends { close(end) } }
        var told = 0
        let watch = loop.watch(ends[0], for: .read) { readiness in
            #expect(readiness == .read)
            told += 1
        }
        #expect(clinux_send(ends[1], "x", 1) == 1)
        loop.run(until: { told == 3 }, timeoutSeconds: 5)
        watch.change(to: [])
        loop.runOnce(timeoutSeconds: 0.01)
        #expect(told == 3)
        watch.change(to: .read)
        loop.run(until: { told == 4 }, timeoutSeconds: 5)
        watch.cancel()
        watch.cancel()
        loop.runOnce(timeoutSeconds: 0.01)
        #expect(told == 4)
    }

    @Test("the other side's end is told whatever the interest")
    func hangup() throws {
        let loop = try EpollLoop()
        var ends: [Int32] = [0, 0]
        #expect(clinux_pipe(&ends) == 0)
        var told: Readiness = []
        let watch = loop.watch(ends[0], for: []) { told = $0 }
        close(ends[1])
        loop.run(until: { told.contains(.hangup) }, timeoutSeconds: 5)
        #expect(told.contains(.hangup))
        watch.cancel()
        close(ends[0])
    }

    @Test("a watch cancelled by an earlier callback of the same turn is not called")
    func cancelWithinTurn() throws {
        let loop = try EpollLoop()
        var first: [Int32] = [0, 0]
        var second: [Int32] = [0, 0]
        #expect(clinux_socketpair_stream(&first) == 0)
        #expect(clinux_socketpair_stream(&second) == 0)
        defer { for end in first + second { close(end) } }
        var watches: [any LoopWatch] = []
        var calls = 0
        for (own, other) in [(0, 1), (1, 0)] {
            watches.append(
                loop.watch(own == 0 ? first[0] : second[0], for: .read) { _ in
                    calls += 1
                    watches[own].cancel()
                    watches[other].cancel()
                })
        }
        #expect(clinux_send(first[1], "x", 1) == 1)
        #expect(clinux_send(second[1], "x", 1) == 1)
        loop.run(until: { calls > 0 }, timeoutSeconds: 5)
        loop.runOnce(timeoutSeconds: 0.01)
        #expect(calls == 1)
    }

    @Test("a descriptor that cannot be watched is told to be broken")
    func unwatchable() throws {
        let loop = try EpollLoop()
        let file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
        defer { close(file) }
        var told: Readiness = []
        let watch = loop.watch(file, for: .read) { told = $0 }
        loop.run(until: { !told.isEmpty }, timeoutSeconds: 5)
        #expect(told == .hangup)
        watch.cancel()
    }

    @Test("a hook gets the work of a hook behind it before the loop waits")
    func hooksRunAgain() throws {
        let loop = try EpollLoop()
        var queue: [String] = []
        var written: [String] = []
        loop.atTurnEnd {
            written += queue
            queue = []
        }
        var owed = 1
        loop.atTurnEnd {
            if owed > 0 {
                owed -= 1
                queue.append("acknowledgement")
            }
        }
        loop.runOnce(timeoutSeconds: 0)
        #expect(written == ["acknowledgement"])
    }

    @Test("what was asked for before the loop runs is written out before it waits")
    func hooksRunFirst() throws {
        let loop = try EpollLoop()
        var written = false
        loop.atTurnEnd { written = true }
        loop.run(until: { written }, timeoutSeconds: 0)
        #expect(written)
    }

    @Test("signals arrive as events")
    func signals() throws {
        let loop = try EpollLoop()
        var seen: [Int32] = []
        let watch = try loop.watchSignals([SIGUSR2]) { seen.append($0) }
        pthread_kill(pthread_self(), SIGUSR2)
        loop.run(until: { !seen.isEmpty }, timeoutSeconds: 5)
        #expect(seen == [SIGUSR2])
        watch.cancel()
    }
}
