// Deliveries off the loop: bounded, in order; and what a hook is told.
import Dispatch
import Ports
import Synchronization
import TaskModel
import TaskhostJSON
import Testing

@testable import Hooks

@Suite("Hooks")
struct HookLaneTests {
    @Test("who cannot keep up loses events, which is told once in a while; what was taken is delivered in order")
    func full() {
        let gate = DispatchSemaphore(value: 0)
        let lane = HookLane(name: "test", room: 3, roomBytes: 1000)
        let done = Mutex<[Int]>([])
        let answers = (0..<6).map { number in
            lane.add {
                gate.wait()
                done.withLock { $0.append(number) }
            }
        }
        #expect(answers == [.taken, .taken, .taken, .dropped(tell: 1), .dropped(tell: nil), .dropped(tell: nil)])
        #expect(lane.waiting == 3)
        for _ in 0..<3 { gate.signal() }
        let empty = DispatchSemaphore(value: 0)
        lane.whenEmpty { empty.signal() }
        empty.wait()
        #expect(done.withLock { $0 } == [0, 1, 2])
        #expect(lane.add {} == .taken)
    }

    @Test("what waits is bounded in bytes, too; one alone may be larger")
    func heavy() {
        let gate = DispatchSemaphore(value: 0)
        let lane = HookLane(name: "test", room: 100, roomBytes: 1000)
        #expect(lane.add(weight: 5000) { gate.wait() } == .taken)
        #expect(lane.add(weight: 1) {} == .dropped(tell: 1))
        gate.signal()
        let empty = DispatchSemaphore(value: 0)
        lane.whenEmpty { empty.signal() }
        empty.wait()
        #expect((0..<3).map { _ in lane.add(weight: 400) { gate.wait() } } == [.taken, .taken, .dropped(tell: nil)])
        for _ in 0..<2 { gate.signal() }
        lane.whenEmpty { empty.signal() }
        empty.wait()
        #expect(lane.add(weight: 1000) {} == .taken)
    }

    @Test("a signature is the HMAC-SHA256 of time, dot and body")
    func signature() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        #expect(
            PostDelivery.signature(of: Array(#"{"a":1}"#.utf8), at: "1700000000", by: "key")
                == "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03")
    }

    @Test("a hook concerns the triggers and tasks it names")
    func concerns() {
        var hook = Hook(
            name: "h", triggers: [.failure, .deadLetter], tasks: ["a.*", "b"], action: .command(["/bin/true"]),
            timeout: 1, retries: 0, environment: [:])
        #expect(hook.concerns(.failure, task: "a.x"))
        #expect(hook.concerns(.deadLetter, task: "b"))
        #expect(!hook.concerns(.crash, task: "a.x"))
        #expect(!hook.concerns(.failure, task: "b.x"))
        hook.tasks = ["*"]
        #expect(hook.concerns(.failure, task: "anything"))
    }

    @Test("what runs when the host ends is killed with everything it has started")
    func killed() {
        let running = RunningCommands()
        let begun = DispatchSemaphore(value: 0)
        let children = ChildKeeping(
            starting: { start in
                defer { begun.signal() }
                return start()
            }, gone: { _ in })
        let delivery = CommandDelivery(
            words: ["/bin/sh", "-c", "sleep 600 & wait"], environment: [:], timeout: 600, children: children,
            running: running)
        let answer = Mutex<String?>(nil)
        let over = DispatchSemaphore(value: 0)
        DispatchQueue.global().async {
            let said = delivery.run([], [:])
            answer.withLock { $0 = said }
            over.signal()
        }
        begun.wait()
        running.killAll()
        over.wait()
        #expect(answer.withLock { $0 } == "was killed by signal 9")
    }
}
