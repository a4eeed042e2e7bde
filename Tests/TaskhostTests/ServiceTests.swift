// Pid file and service manager: what the world outside sees of a worker.
import Engine
import Foundation
import Glibc
import Ports
import TaskModel
import Testing

@testable import taskhost

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
        var memory = RevocationMemory()
        memory.ids = [.init(id: "one \"quoted\"", revokedAt: WallTime(microseconds: 1_700_000_000_500_000))]
        memory.stamps = [RevokedStamp(name: "tenant", values: ["blue", "red"])]
        try file.write(memory)
        #expect(try file.read() == memory)
        for text in ["", "{\"taskhost_state\": 1, \"revoked\": [[]], \"revoked_stamps\": {}}", "{}", "garbage"] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let failure = #expect(throws: CommandFailure.self) { _ = try file.read() }
            #expect(failure?.status == .configuration && failure?.message.contains(path) == true)
        }
    }

    @Test("a state file that cannot be written is an error that names the fix")
    func unwritableState() {
        let file = StateFile(path: "/proc/no/such/folder/state")
        let failure = #expect(throws: CommandFailure.self) { try file.write(RevocationMemory()) }
        #expect(failure?.status == .cannotCreate && failure?.fix?.contains("--statedb") == true)
    }

    @Test("the service manager's socket gets the state")
    func notification() throws {
        let path = temporaryPath()
        let receiver = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        defer {
            close(receiver)
            unlink(path)
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(receiver, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        let notifier = try #require(ServiceNotifier(environment: ["NOTIFY_SOCKET": path]))
        #expect(notifier.send("READY=1"))
        var buffer = [UInt8](repeating: 0, count: 64)
        let length = recv(receiver, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        #expect(String(decoding: buffer.prefix(max(0, length)), as: UTF8.self) == "READY=1")
    }

    @Test("without a service manager nothing is told")
    func noNotification() {
        #expect(ServiceNotifier(environment: [:]) == nil)
        #expect(ServiceNotifier(environment: ["NOTIFY_SOCKET": ""]) == nil)
    }
}
