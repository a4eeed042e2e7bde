// The clocks of the file's thread: the loop's own belong to the loop.
import Glibc
import TaskModel

/// The present wall time: for what people and other machines name, etas and expiries.
func wallTime() -> WallTime { WallTime(microseconds: microseconds(CLOCK_REALTIME)) }

/// Time since the machine was started, sleep included: for leases. It cannot be set, and all processes of the machine
/// that share a file share it. What an earlier run of the kernel wrote means nothing any more.
struct BootTime: Sendable, Comparable {
    var microseconds: Int64

    static var now: BootTime { BootTime(microseconds: SQLite.microseconds(CLOCK_BOOTTIME)) }

    func advanced(bySeconds seconds: Double) -> BootTime {
        BootTime(microseconds: WallTime(microseconds: microseconds).advanced(bySeconds: seconds).microseconds)
    }

    func seconds(since earlier: BootTime) -> Double { Double(microseconds - earlier.microseconds) / 1e6 }

    static func < (left: BootTime, right: BootTime) -> Bool { left.microseconds < right.microseconds }
}

private func microseconds(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}
