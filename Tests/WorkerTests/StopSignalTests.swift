import Engine
import Glibc
import Testing

@testable import Worker

@Suite("Stop signals")
struct StopSignalTests {
    @Test("TERM and INT are warm, QUIT is cold, each further one is harder")
    func ladder() {
        let signals = StopSignals(softSeconds: 0)
        func order(_ number: Int32, _ stopping: StopKind?) -> StopSignals.Order {
            signals.order(on: number, stopping: stopping, runsTasks: true)
        }
        #expect(order(SIGTERM, nil) == .stop(.warm))
        #expect(order(SIGINT, nil) == .stop(.warm))
        #expect(order(SIGQUIT, nil) == .stop(.cold))
        for number in [SIGTERM, SIGINT, SIGQUIT] {
            #expect(order(number, .warm) == .stop(.cold))
            #expect(order(number, .cold) == .leave)
        }
    }

    @Test("with a soft time what runs gets it before a cold stop; nothing running, there is nothing to wait for")
    func soft() {
        let signals = StopSignals(softSeconds: 5)
        #expect(signals.order(on: SIGQUIT, stopping: nil, runsTasks: true) == .stop(.soft))
        #expect(signals.order(on: SIGQUIT, stopping: nil, runsTasks: false) == .stop(.cold))
        #expect(signals.order(on: SIGTERM, stopping: .warm, runsTasks: true) == .stop(.soft))
        #expect(signals.order(on: SIGQUIT, stopping: .soft, runsTasks: true) == .stop(.cold))
    }

    @Test("TERM may act as QUIT, INT never does")
    func remapped() {
        let signals = StopSignals(softSeconds: 0, treatsTermAsQuit: true)
        #expect(signals.order(on: SIGTERM, stopping: nil, runsTasks: true) == .stop(.cold))
        #expect(signals.order(on: SIGINT, stopping: nil, runsTasks: true) == .stop(.warm))
    }
}
