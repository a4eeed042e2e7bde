// Which descriptor's readiness goes to whom.

internal import CLinux
internal import Glibc
internal import Ports

/// One watched descriptor. Lives in the table until cancelled.
final class DescriptorWatch: LoopWatch {
    let descriptor: Int32
    let ready: (Readiness) -> Void
    fileprivate(set) var token: UInt64 = 0
    private weak var table: WatchTable?

    init(_ descriptor: Int32, table: WatchTable, _ ready: @escaping (Readiness) -> Void) {
        self.descriptor = descriptor
        self.table = table
        self.ready = ready
    }

    func change(to interest: Readiness) {
        table?.change(self, to: interest)
    }

    func cancel() {
        table?.remove(self)
        table = nil
    }
}

/// Slots with a generation each: an event that was fetched before its watch was cancelled is dropped.
final class WatchTable {
    private struct Slot {
        var generation: UInt32 = 0
        var watch: DescriptorWatch?
    }

    private let epoll: Int32
    private var slots: [Slot] = []
    private var free: [Int] = []
    /// Descriptors the kernel would not watch: reported as broken in the next turn.
    private var broken: [UInt64] = []

    init(epoll: Int32) {
        self.epoll = epoll
    }

    func add(_ descriptor: Int32, _ interest: Readiness, _ ready: @escaping (Readiness) -> Void) -> DescriptorWatch {
        let watch = DescriptorWatch(descriptor, table: self, ready)
        let index = free.popLast() ?? slots.count
        if index == slots.count { slots.append(Slot()) }
        slots[index].watch = watch
        watch.token = UInt64(slots[index].generation) << 32 | UInt64(index)
        let result = clinux_epoll_add(epoll, descriptor, interest.epollFlags, watch.token)
        precondition(result != -EEXIST, "descriptor \(descriptor) is watched already; change that watch, or cancel it")
        if result < 0 { broken.append(watch.token) }
        return watch
    }

    func change(_ watch: DescriptorWatch, to interest: Readiness) {
        let result = clinux_epoll_modify(epoll, watch.descriptor, interest.epollFlags, watch.token)
        if result < 0 { broken.append(watch.token) }
    }

    func remove(_ watch: DescriptorWatch) {
        let index = Int(watch.token & 0xffff_ffff)
        guard slots[index].watch === watch else { return }
        slots[index].watch = nil
        slots[index].generation &+= 1
        free.append(index)
        // Fails only when the descriptor was closed before: then the kernel has forgotten it too.
        _ = clinux_epoll_remove(epoll, watch.descriptor)
    }

    func watch(of token: UInt64) -> DescriptorWatch? {
        let slot = slots[Int(token & 0xffff_ffff)]
        return slot.generation == UInt32(token >> 32) ? slot.watch : nil
    }

    var hasBroken: Bool { !broken.isEmpty }

    func takeBroken() -> [UInt64] {
        defer { broken.removeAll() }
        return broken
    }
}

extension Readiness {
    var epollFlags: UInt32 {
        (contains(.read) ? CLINUX_EPOLL_IN : 0) | (contains(.write) ? CLINUX_EPOLL_OUT : 0)
    }

    init(epollFlags flags: UInt32) {
        var readiness: Readiness = []
        if flags & CLINUX_EPOLL_IN != 0 { readiness.insert(.read) }
        if flags & CLINUX_EPOLL_OUT != 0 { readiness.insert(.write) }
        if flags & (CLINUX_EPOLL_ERR | CLINUX_EPOLL_HUP) != 0 { readiness.insert(.hangup) }
        self = readiness
    }
}
