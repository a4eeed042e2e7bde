// A turn that keeps the loop is told, with what named itself; quick ones are not.

import CLinux
import Glibc
import Loop
import Ports
import Testing

@Suite("slow turns")
struct SlowTurnTests {
    private func spin(milliseconds: UInt64) {
        let end = clinux_monotonic_ns() + milliseconds * 1_000_000
        while clinux_monotonic_ns() < end {}
    }

    @Test("a turn of more than a tenth of a second is told, by the name of the work if that has one")
    func told() throws {
        let loop = try EpollLoop()
        var told: [SlowTurn] = []
        loop.turnWatch.onSlowTurn = { told.append($0) }
        var isOver = false
        _ = loop.schedule(afterSeconds: 0) { [self] in
            spin(milliseconds: 150)
            _ = loop.schedule(afterSeconds: 0) { [self] in
                loop.measured("short") { spin(milliseconds: 30) }
                let answer = loop.measured("the command long") { () -> Int in
                    spin(milliseconds: 150)
                    return 7
                }
                #expect(answer == 7)
                _ = loop.schedule(afterSeconds: 0) { isOver = true }
            }
        }
        loop.run(until: { isOver }, timeoutSeconds: 20)
        #expect(told.map(\.what).prefix(2) == ["1 timer", "the command long"])
        #expect(told.prefix(2).allSatisfy { $0.seconds >= 0.15 && $0.processorSeconds <= $0.seconds })
    }

    @Test("a turn that waits is told with the little it computed")
    func waiting() throws {
        let loop = try EpollLoop()
        var told: [SlowTurn] = []
        loop.turnWatch.onSlowTurn = { told.append($0) }
        var isOver = false
        // The first turn reads the processor's time so far.
        loop.runOnce(timeoutSeconds: 0)
        _ = loop.schedule(afterSeconds: 0) {
            usleep(150_000)
            isOver = true
        }
        loop.run(until: { isOver }, timeoutSeconds: 20)
        #expect(told.first.map { $0.processorSeconds < 0.1 && $0.seconds >= 0.15 } == true)
    }
}
