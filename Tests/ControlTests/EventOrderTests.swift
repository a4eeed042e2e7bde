// The order in which a worker's events leave it.
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Control

@Suite("Events, in the order of their clocks")
struct EventOrderTests {
    private final class Listener: EventChannel {
        var heard: [JSON] = []

        func publish(_ message: WireMessage, routingKey: String) {
            // What cannot be read is missing in what the test expects.
            guard let body = try? JSON(parsing: message.body) else { return }
            heard += body.elements ?? [body]
        }

        func close() {}
    }

    private let listener = Listener()
    private let service: EventService

    init() {
        service = EventService(
            channels: [listener], engine: FakeEngine(), loop: FakeLoop(),
            options: EventOptions(version: "1", sendsTaskEvents: true, heartbeatSeconds: 2))
    }

    private func task() -> ObservedTask {
        ObservedTask(
            id: "t1", name: "tasks.add", displayName: "tasks.add", argsRepr: "()", kwargsRepr: "{}", rootID: nil,
            parentID: nil, groupID: nil, retries: 0, etaText: nil, expiresText: nil, queue: "q", routingKey: "q",
            headers: [:], receivedAt: WallTime(secondsSince1970: 1), readyAt: nil, beganAt: nil, usage: nil)
    }

    @Test("a heartbeat does not overtake events of tasks that are held to travel together")
    func heartbeat() {
        service.linkUp()
        service.observed(.received, of: task())
        service.heartbeat()
        service.observed(.started(pid: 1), of: task())
        service.close()
        #expect(
            listener.heard.map { $0["type"]?.text } == [
                "worker-online", "task-received", "worker-heartbeat", "task-started", "worker-offline",
            ])
        let clocks = listener.heard.compactMap { $0["clock"]?.integer }
        #expect(clocks == clocks.sorted() && Set(clocks).count == 5)
    }
}
