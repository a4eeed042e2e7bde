// Runs async handlers on the child's main thread, so that a child needs no second thread.

import Dispatch
import Glibc

/// The executor all async work of a task prefers: its jobs run on the thread that waits for the task's end.
///
/// While it waits it also serves the main actor and turns the soft limit into cancellation. Work that leaves it
/// (`Task.detached`, Dispatch, threads) runs on other threads as anywhere.
final class ChildLoop: TaskExecutor {
    static let shared = ChildLoop()

    private struct Queue {
        var jobs: [UnownedJob] = []
        /// The loop is in `poll`, or about to be: adding a job must wake it.
        var isWaiting = false
    }

    private let queue = Guarded(Queue())
    /// Made when the loop first has to wait, always in the child.
    private let wakeDescriptor = Guarded<Int32?>(nil)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = queue.withLock { queue in
            queue.jobs.append(job)
            defer { queue.isWaiting = false }
            return queue.isWaiting
        }
        if mustWake { wake() }
    }

    /// Starts `operation` and serves it until it ends. `context` says when to cancel it.
    func run<Output: Sendable>(
        for context: TaskContext, _ operation: @escaping @Sendable () async throws -> Output
    ) throws -> Output {
        let completion = Completion<Output>()
        let work = Task(executorPreference: self) {
            do {
                completion.result = .success(try await operation())
            } catch {
                completion.result = .failure(error)
            }
        }
        var isCancelled = false
        var batch: [UnownedJob] = []
        while true {
            takeJobs(into: &batch)
            for job in batch { job.runSynchronously(on: asUnownedTaskExecutor()) }
            if let result = completion.result { return try result.get() }
            if !isCancelled, context.shouldStop {
                work.cancel()
                isCancelled = true
            }
            if batch.isEmpty { wait(stopDescriptor: isCancelled ? nil : context.stopFD) }
        }
    }

    /// Swaps the arrays, so that both keep their memory.
    private func takeJobs(into batch: inout [UnownedJob]) {
        batch.removeAll(keepingCapacity: true)
        queue.withLock { swap(&$0.jobs, &batch) }
    }

    /// Until a job arrives, the main queue has work, or the task is to stop. `stopDescriptor` nil: it knows already.
    private func wait(stopDescriptor: Int32?) {
        // Before `isWaiting`: from then on others write to it.
        let wake = ensureWakeDescriptor()
        let mustWait = queue.withLock { queue in
            queue.isWaiting = queue.jobs.isEmpty
            return queue.isWaiting
        }
        guard mustWait else { return }
        let mainQueue = isMainThread ? dispatchMainQueueDescriptor() : -1
        var descriptors = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: mainQueue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: stopDescriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        // Without a descriptor (the process has used up its own) look around ten times a second.
        let isBlind = wake < 0 || (isMainThread && mainQueue < 0) || (stopDescriptor ?? 0) < 0
        let timeout: Int32 = isBlind ? 100 : -1
        // An interruption is fine: the loop looks at everything and comes back.
        _ = poll(&descriptors, nfds_t(descriptors.count), timeout)
        queue.withLock { $0.isWaiting = false }
        if descriptors[0].revents != 0 { drain(wake) }
        if descriptors[1].revents != 0 { drain(mainQueue) }
        if descriptors[1].revents != 0 || (isMainThread && mainQueue < 0) { serveDispatchMainQueue() }
    }

    /// In a child, always; elsewhere (in tests) the main queue is served by its owner.
    private var isMainThread: Bool { threadIdentifier() == getpid() }

    private func ensureWakeDescriptor() -> Int32 {
        wakeDescriptor.withLock { descriptor in
            if let descriptor, descriptor >= 0 { return descriptor }
            let made = makeEventDescriptor(0, eventDescriptorFlags)
            descriptor = made
            return made
        }
    }

    private func wake() {
        var one: UInt64 = 1
        guard let descriptor = wakeDescriptor.withLock({ $0 }), descriptor >= 0 else { return }
        _ = write(descriptor, &one, MemoryLayout.size(ofValue: one))
    }

    private func drain(_ descriptor: Int32) {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout.size(ofValue: count))
    }
}

/// Written by the operation and read by the loop, both on the loop's thread: hence `@unchecked Sendable`.
private final class Completion<Output: Sendable>: @unchecked Sendable {
    var result: Result<Output, any Error>?
}

/// EFD_CLOEXEC | EFD_NONBLOCK, the same as O_CLOEXEC and O_NONBLOCK; Glibc's Swift module lacks eventfd and gettid.
private let eventDescriptorFlags = O_CLOEXEC | O_NONBLOCK

@_silgen_name("eventfd")
private func makeEventDescriptor(_ count: UInt32, _ flags: Int32) -> Int32

@_silgen_name("gettid")
private func threadIdentifier() -> Int32

// libdispatch's door for run loops that own the main thread, used by CoreFoundation in the same way.
@_silgen_name("_dispatch_get_main_queue_handle_4CF")
private func dispatchMainQueueDescriptor() -> Int32

@_silgen_name("_dispatch_main_queue_callback_4CF")
private func serveDispatchMainQueue()
