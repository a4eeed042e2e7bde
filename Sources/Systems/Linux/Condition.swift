// A lock with something to wait for, shared by threads.
import Glibc

/// A mutex and a condition variable.
public final class Condition: @unchecked Sendable {
    // Safe to share: that is what pthreads' own are for. They must not move, hence the pointers.
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// A moment that setting the clock does not move.
    public struct Deadline: Sendable {
        fileprivate var time = timespec()

        public init(afterSeconds seconds: Double) {
            clock_gettime(CLOCK_MONOTONIC, &time)
            // Longer than anybody waits, and still a number of seconds.
            let whole = min(max(0, seconds), 1e9)
            time.tv_sec += Int(whole)
            time.tv_nsec += Int((whole - whole.rounded(.down)) * 1e9)
            if time.tv_nsec >= 1_000_000_000 {
                (time.tv_sec, time.tv_nsec) = (time.tv_sec + 1, time.tv_nsec - 1_000_000_000)
            }
        }
    }

    public init() {
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    public func lock() { pthread_mutex_lock(mutex) }
    public func unlock() { pthread_mutex_unlock(mutex) }

    public func withLock<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws(Failure) -> Value {
        lock()
        defer { unlock() }
        return try body()
    }

    /// To be called with the lock, which is free while it waits. Wakes up for no reason, too: look again.
    public func wait() { pthread_cond_wait(condition, mutex) }

    /// - Returns: false: it is too late.
    public func wait(until deadline: Deadline) -> Bool {
        var time = deadline.time
        return pthread_cond_timedwait(condition, mutex, &time) == 0
    }

    /// Wakes one that waits.
    public func signal() { pthread_cond_signal(condition) }
    /// Wakes all that wait.
    public func broadcast() { pthread_cond_broadcast(condition) }
}
