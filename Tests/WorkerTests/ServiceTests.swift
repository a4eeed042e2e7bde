// Pid file and service manager: what the world outside sees of a worker.
import Engine
import Foundation
import Glibc
import Loop
import Ports
import TaskModel
import Testing

@testable import Output
@testable import Worker

@Suite("Service")
struct ServiceTests {
    private func temporaryPath() -> String { NSTemporaryDirectory() + "taskhost-test-\(UUID().uuidString)" }

    @Test("a pid file holds our pid and goes away with us")
    func pidfile() throws {
        let path = temporaryPath()
        let file = try Pidfile(path: path)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "\(getpid())\n")
        file.remove()
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("a living owner keeps others out, and is named")
    func livingOwner() throws {
        let path = temporaryPath()
        defer { unlink(path) }
        try "1\n".write(toFile: path, atomically: true, encoding: .utf8)
        let failure = #expect(throws: CommandFailure.self) { try Pidfile(path: path) }
        #expect(failure?.status == .cannotCreate)
        #expect(failure?.message.contains("process 1") == true)
    }

    @Test("a stale pid file is replaced, and another's file is not removed")
    func staleOwner() throws {
        let path = temporaryPath()
        defer { unlink(path) }
        // Above every pid Linux gives out.
        try "4194305\n".write(toFile: path, atomically: true, encoding: .utf8)
        let file = try Pidfile(path: path)
        try "1\n".write(toFile: path, atomically: true, encoding: .utf8)
        file.remove()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("a state file gives back what it was given, and a broken one is an error that names it")
    func stateFile() throws {
        let path = temporaryPath()
        defer { unlink(path) }
        let file = StateFile(path: path)
        #expect(try file.read() == nil)
        var memory = EngineMemory()
        memory.ids = [.init(id: "one \"quoted\"", revokedAt: WallTime(microseconds: 1_700_000_000_500_000))]
        memory.stamps = [RevokedStamp(name: "tenant", values: ["blue", "red"])]
        memory.pausedQueues = ["slow", "urgent"]
        try file.write(memory)
        #expect(try file.read() == memory)
        // As it was before queues were kept.
        try #"{"taskhost_state": 1, "revoked": [], "revoked_stamps": {}}"#.write(
            toFile: path, atomically: true, encoding: .utf8)
        #expect(try file.read() == EngineMemory())
        for text in ["", "{\"taskhost_state\": 1, \"revoked\": [[]], \"revoked_stamps\": {}}", "{}", "garbage"] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let failure = #expect(throws: CommandFailure.self) { _ = try file.read() }
            #expect(failure?.status == .configuration && failure?.message.contains(path) == true)
        }
    }

    @Test("a file is on the disk before it has its name, and its name is there before the caller goes on")
    func durable() throws {
        let path = temporaryPath()
        defer { unlink(path) }
        try WholeFile.write(Array("old".utf8), to: path)
        var synced: [String] = []
        try WholeFile.write(Array("new".utf8), to: path) { descriptor in
            var status = stat()
            fstat(descriptor, &status)
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "folder" : "file"
            let named = FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
            synced.append("\(kind) while it is \(named)")
            return fsync(descriptor)
        }
        #expect(synced == ["file while it is old", "folder while it is new"])
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    }

    @Test("a folder that cannot be written through to the disk is an error, unless its kind has nothing of that")
    func unsynced() throws {
        let path = temporaryPath()
        defer { unlink(path) }
        func write(_ number: Int32) throws(WholeFile.Failure) {
            var calls = 0
            try WholeFile.write([1], to: path) { _ in
                calls += 1
                errno = number
                return calls == 1 ? 0 : -1
            }
        }
        try write(EINVAL)
        let failure = #expect(throws: WholeFile.Failure.self) { try write(EIO) }
        #expect(failure?.path == URL(filePath: path).deletingLastPathComponent().path)
    }

    @Test("a state file that cannot be written is an error that names the fix")
    func unwritableState() {
        let file = StateFile(path: "/proc/no/such/folder/state")
        let failure = #expect(throws: CommandFailure.self) { try file.write(EngineMemory()) }
        #expect(failure?.status == .cannotCreate && failure?.fix?.contains("--statedb") == true)
    }

    @Test("the service manager's socket gets the state")
    func notification() throws {
        let (receiver, path) = try listen()
        defer {
            close(receiver)
            unlink(path)
        }
        let notifier = try #require(ServiceNotifier(environment: ["NOTIFY_SOCKET": path]))
        #expect(notifier.send("READY=1"))
        #expect(receive(receiver) == "READY=1")
    }

    @Test("signs of life come twice as often as asked for, if it is we who are asked")
    func pulse() {
        #expect(ServiceReport.pulse(["WATCHDOG_USEC": "3000000"]) == 1.5)
        #expect(ServiceReport.pulse(["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "\(getpid())"]) == 1.5)
        #expect(ServiceReport.pulse(["WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"]) == nil)
        #expect(ServiceReport.pulse(["WATCHDOG_USEC": "0"]) == nil)
        #expect(ServiceReport.pulse([:]) == nil)
    }

    @Test("signs of life come from the loop's turns only")
    func pulseFromTheLoop() throws {
        let (receiver, path) = try listen()
        defer {
            close(receiver)
            unlink(path)
        }
        let loop = try EpollLoop()
        let environment = ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "20000"]
        let report = try #require(
            ServiceReport(environment: environment, serving: "serving a", loop: loop, activity: { "0 running" }))
        report.begin()
        var heard: [String] = []
        loop.run(
            until: {
                while let text = receive(receiver) { heard.append(text) }
                return heard.count { $0 == "WATCHDOG=1" } >= 3
            }, timeoutSeconds: 10)
        #expect(heard.count { $0 == "WATCHDOG=1" } >= 3)
        report.ready()
        #expect(receive(receiver) == "READY=1\nSTATUS=serving a: 0 running")
        // Three pulses' time in which the loop does not turn.
        usleep(30_000)
        #expect(receive(receiver) == nil)
    }

    @Test("systemd gets ready, reloading and stopping in their order, and no second ready once it stops")
    func order() throws {
        let (receiver, path) = try listen()
        defer {
            close(receiver)
            unlink(path)
        }
        let loop = try EpollLoop()
        let report = try #require(
            ServiceReport(
                environment: ["NOTIFY_SOCKET": path], serving: "serving a", loop: loop, activity: { "0 running" }))
        report.begin()
        report.ready()
        var isLoaded = false
        report.reloading { isLoaded }
        report.stopping()
        isLoaded = true
        // Behind the time at which the reload would have been found done.
        var isLater = false
        _ = loop.schedule(afterSeconds: 0.15) { isLater = true }
        loop.run(until: { isLater }, timeoutSeconds: 10)
        var states: [String] = []
        while let text = receive(receiver) { states.append(String(text.prefix { $0 != "\n" })) }
        #expect(states == ["STATUS=starting: 0 running", "READY=1", "RELOADING=1", "STOPPING=1"])
    }

    private func receive(_ receiver: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = recv(receiver, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return length >= 0 ? String(decoding: buffer.prefix(length), as: UTF8.self) : nil
    }

    private func listen() throws -> (Int32, String) {
        let path = temporaryPath()
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(receiver, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        return (receiver, path)
    }

    @Test("without a service manager nothing is told")
    func noNotification() {
        #expect(ServiceNotifier(environment: [:]) == nil)
        #expect(ServiceNotifier(environment: ["NOTIFY_SOCKET": ""]) == nil)
    }
}
