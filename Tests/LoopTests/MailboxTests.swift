// Posts come from any thread, in order, and wake a sleeping loop.

import CLinux
import Glibc
import Loop
import Synchronization
import Testing

@Suite("the mailbox")
struct MailboxTests {
    @Test("posts of four threads all arrive, each thread's in its order")
    func postsFromThreads() async throws {
        // The loop stays on one thread of its own; the test's threads get the mailbox only.
        // In effect no time limit: the senders share their threads with every other test and may get their turn late.
        let received = Shared<[[Int]]>(Array(repeating: [], count: 4))
        let (ended, end) = AsyncStream<Void>.makeStream()
        let mailbox = try onThread { loop in
            loop.run(until: { received.with { $0.allSatisfy { $0.count == 5000 } } }, timeoutSeconds: 3600)
            end.finish()
        }
        await withTaskGroup(of: Void.self) { group in
            for sender in 0..<4 {
                group.addTask {
                    for number in 0..<5000 {
                        mailbox.post { received.with { $0[sender].append(number) } }
                    }
                }
            }
        }
        for await _ in ended {}
        #expect(received.with { $0 } == Array(repeating: Array(0..<5000), count: 4))
    }

    @Test("work posted on the loop's own thread runs without waiting for anything else")
    func postFromTheLoop() throws {
        let loop = try EpollLoop()
        let count = Shared(0)
        let mailbox = loop.mailbox
        loop.post {
            count.with { $0 += 1 }
            mailbox.post { count.with { $0 += 1 } }
        }
        loop.run(until: { count.with { $0 } == 2 }, timeoutSeconds: 5)
        #expect(count.with { $0 } == 2)
    }

    @Test("a post ends a long wait at once")
    func postWakes() throws {
        let seen = Shared<UInt64>(0)
        let asleep = Shared(false)
        let mailbox = try onThread { loop in
            _ = loop.schedule(afterSeconds: 0.02) { asleep.with { $0 = true } }
            loop.run(until: { seen.with { $0 } > 0 }, timeoutSeconds: 60)
        }
        while !asleep.with({ $0 }) { sched_yield() }
        let posted = clinux_monotonic_ns()
        mailbox.post { seen.with { $0 = clinux_monotonic_ns() } }
        while seen.with({ $0 }) == 0 { sched_yield() }
        #expect(Double(seen.with { $0 } - posted) / 1e9 < 5)
    }
}

/// A value that several threads look at.
private final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    func with<Result: Sendable>(_ body: (inout sending Value) -> sending Result) -> Result {
        value.withLock(body)
    }
}

/// Carries a loop and its body to the thread that owns both from then on.
private final class Carrier: @unchecked Sendable {
    let loop: EpollLoop
    let body: @Sendable (EpollLoop) -> Void

    init(_ loop: EpollLoop, _ body: @escaping @Sendable (EpollLoop) -> Void) {
        self.loop = loop
        self.body = body
    }
}

/// Starts a thread that runs `body` with a new loop; the loop's mailbox.
private func onThread(_ body: @escaping @Sendable (EpollLoop) -> Void) throws -> Mailbox {
    let loop = try EpollLoop()
    let mailbox = loop.mailbox
    let carrier = Unmanaged.passRetained(Carrier(loop, body))
    var thread = pthread_t()
    let failure = pthread_create(
        &thread, nil,
        { argument in
            let carrier = Unmanaged<Carrier>.fromOpaque(argument!).takeRetainedValue()
            carrier.body(carrier.loop)
            return nil
        }, carrier.toOpaque())
    #expect(failure == 0)
    pthread_detach(thread)
    return mailbox
}
