// The file itself: what is refused and how it is said, and what its columns keep.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import SQLite

@Suite("The embedded broker's file", .serialized)
struct SQLiteFileTests {
    private let folder: TemporaryFolder
    private let loop: EpollLoop

    init() throws {
        folder = try TemporaryFolder()
        loop = try EpollLoop()
    }

    @Test("a file that is no database is refused with the fix")
    func notADatabase() throws {
        let path = folder.path + "/notes.txt"
        try String(repeating: "dear diary ", count: 500).write(toFile: path, atomically: true, encoding: .utf8)
        let failure = try refusal(of: path)
        #expect(failure.description.contains("\(path) is not a SQLite database"))
        #expect(failure.fix != nil)
    }

    @Test("a device, which keeps nothing, and a folder are no files")
    func device() throws {
        let device = try refusal(of: "/dev/null").description
        #expect(device.contains("/dev/null is a device, a socket or a pipe, not a file"))
        #expect(access("/dev/null-wake", F_OK) != 0)
        #expect(try refusal(of: folder.path).description.contains("\(folder.path) is a folder, not a file"))
    }

    @Test("another program's database is refused and left as it is")
    func foreign() throws {
        let path = folder.path + "/other.db"
        let other = try Database(path: path)
        try other.script("CREATE TABLE theirs(x)")
        try other.close()
        #expect(try refusal(of: path).description.contains("is a database of another program"))
        let again = try Database(path: path)
        #expect(try again.rows("SELECT name FROM sqlite_master") { $0.read(0) } == ["theirs"])
        #expect(try again.value("PRAGMA journal_mode") == "delete")
        try again.close()
    }

    @Test("a newer layout is refused, both versions named")
    func newer() throws {
        let path = folder.path + "/newer.db"
        try open(path).close()
        let raw = try Database(path: path)
        try raw.script("PRAGMA user_version = 99")
        try raw.close()
        let text = try refusal(of: path).description
        #expect(text.contains("has layout 99, this taskhost knows up to \(Schema.version)"))
    }

    @Test(
        "a file that is removed or replaced while it is used is named, and the one in its place is left alone",
        arguments: [false, true])
    func removed(_ isReplaced: Bool) throws {
        let path = folder.path + "/taskhost.db"
        let client = try open(path)
        client.broker.consume([QueueDeclaration(name: "q")])
        for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
        let other = isReplaced ? try open(path) : nil
        try client.wait("the failure") { !client.failures.isEmpty }
        #expect(client.failures.count == 1)
        #expect(client.failures[0].description.contains("\(path) was removed or replaced while it was in use"))
        try client.close()
        if let other {
            #expect(access(path + "-wal", F_OK) == 0)
            try other.close()
        }
    }

    @Test("a new file may be opened by many at once, and none is told that it is locked")
    func manyAtOnce() throws {
        for round in 0..<5 {
            let clients = (0..<12).map { _ in
                let file = SQLiteFile(address: SQLiteAddress(path: folder.path + "/new-\(round).db"), loop: loop)
                return BrokerClient(SQLiteBroker(file: file), loop)
            }
            for client in clients { client.broker.connect(events: client) }
            for client in clients {
                try client.wait("the link") { client.isUp || !client.failures.isEmpty }
                #expect(client.failures.isEmpty)
                #expect(client.losses == 0)
            }
            for client in clients { try client.close() }
        }
    }

    @Test("while another process makes a new file a present one, it is waited for")
    func beingPrepared() throws {
        let path = folder.path + "/taskhost.db"
        let other = try Database(path: path)
        try other.script("BEGIN IMMEDIATE")
        let client = BrokerClient(SQLiteBroker(file: SQLiteFile(address: SQLiteAddress(path: path), loop: loop)), loop)
        client.broker.connect(events: client)
        var isReleased = false
        _ = loop.schedule(afterSeconds: 0.2) {
            isReleased = true
            #expect(throws: Never.self) { try other.script("COMMIT") }
        }
        try client.wait("the link") { client.isUp }
        #expect(isReleased)
        #expect(client.losses == 0)
        try client.close()
        try other.close()
    }

    @Test(
        "a commit waits for the disk unless the address says otherwise",
        arguments: [(SQLiteAddress.Durability.full, 2), (.normal, 1)])
    func durability(_ durability: SQLiteAddress.Durability, synchronous: Int) throws {
        let connection = try FileConnection(SQLiteAddress(path: folder.path + "/taskhost.db", durability: durability))
        try connection.run([
            FileJob(.read) { db in
                let found: Int? = try db.value("PRAGMA synchronous")
                #expect(found == synchronous)
            } done: { (_: Result<Void, SQLiteFailure>) in
            }
        ])
        try connection.close()
    }

    @Test("whoever waits to write is not overtaken for ever by one who writes without a pause")
    func turns() throws {
        let address = SQLiteAddress(path: folder.path + "/taskhost.db")
        let patient = try FileConnection(address)
        let busy = BusyWriter(address)
        try busy.begin()
        var overtaken: [Int] = []
        for _ in 0..<10 {
            let before = try busy.commitsAfterNext()
            try patient.run([
                FileJob(.write) { _ in
                } done: { (_: Result<Void, SQLiteFailure>) in
                }
            ])
            overtaken.append(busy.commits - before)
        }
        try busy.end()
        try patient.close()
        // The one under way, and one more that may have had its turn already; the rest is for a loaded machine.
        #expect(overtaken.sorted()[5] <= 3 && overtaken.reduce(0, +) <= 50, "\(overtaken)")
    }

    @Test("a process that was stopped while it had the turn keeps nobody from writing", .timeLimit(.minutes(1)))
    func stoppedTurn() throws {
        let address = SQLiteAddress(path: folder.path + "/taskhost.db")
        let connection = try FileConnection(address)
        let stopped = try WriteTurn(path: ChangeNotifier.path(for: address.path))
        stopped.take()
        for _ in 0..<100 {
            try connection.run([
                FileJob(.write) { _ in
                } done: { (_: Result<Void, SQLiteFailure>) in
                }
            ])
        }
        stopped.close()
        try connection.close()
    }

    @Test("a folder that cannot be made is refused")
    func noFolder() throws {
        let failure = try refusal(of: "/proc/nowhere/taskhost.db")
        #expect(failure.description.contains("/proc/nowhere cannot be made"))
    }

    @Test("file and folder are made for this user alone")
    func permissions() throws {
        let path = folder.path + "/deep/state/taskhost.db"
        let client = try open(path)
        try client.publish(["x"], to: QueueDeclaration(name: "q"))
        func mode(_ path: String) throws -> Int {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? -1
        }
        #expect(try mode(folder.path + "/deep/state") == 0o700)
        for suffix in ["", "-wal", "-shm", "-wake"] { #expect(try mode(path + suffix) == 0o600, "\(suffix)") }
        try client.close()
    }

    @Test("a publication that cannot be done fails when the link closes, and says so")
    func afterClose() throws {
        let client = try open(folder.path + "/taskhost.db")
        try client.close()
        #expect(throws: BrokerFailure.self) { try client.publish(["x"], to: QueueDeclaration(name: "q")) }
    }

    @Test(
        "addresses are read as written",
        arguments: [
            ("sqlite:///var/lib/x.db", "/var/lib/x.db", SQLiteAddress.Durability.full),
            ("sqlite:/var/lib/x.db", "/var/lib/x.db", .full),
            ("sqlite:///a%20b.db?synchronous=normal", "/a b.db", .normal),
            ("sqlite:", "/state/taskhost/taskhost.db", .full),
            ("sqlite://", "/state/taskhost/taskhost.db", .full),
            ("sqlite:x.db", FileManager.default.currentDirectoryPath + "/x.db", .full),
        ])
    func addresses(url: String, path: String, durability: SQLiteAddress.Durability) throws {
        let address = try SQLiteAddress(url: url, environment: ["XDG_STATE_HOME": "/state", "HOME": "/home/me"])
        #expect(address == SQLiteAddress(path: path, durability: durability))
    }

    @Test("without XDG_STATE_HOME the file is under the home folder; without both the fix is named")
    func defaultPlace() throws {
        let path = try SQLiteAddress.defaultPath(["HOME": "/home/me", "XDG_STATE_HOME": "not/absolute"])
        #expect(path == "/home/me/.local/state/taskhost/taskhost.db")
        #expect(throws: SQLiteFailure.self) { try SQLiteAddress.defaultPath([:]) }
    }

    @Test(
        "malformed addresses are refused",
        arguments: [
            "sqlite://host/x.db", "sqlite:///x.db?synchronous=off", "sqlite:///x?a=b", "mysql://x", "sqlite:///x/",
        ])
    func badAddresses(url: String) {
        #expect(throws: SQLiteFailure.self) { try SQLiteAddress(url: url, environment: ["HOME": "/h"]) }
    }

    private func open(_ path: String) throws -> BrokerClient {
        let file = SQLiteFile(address: SQLiteAddress(path: path), loop: loop)
        let client = BrokerClient(SQLiteBroker(file: file), loop)
        client.broker.connect(events: client)
        try client.wait("the link") { client.isUp || !client.failures.isEmpty }
        return client
    }

    private func refusal(of path: String) throws -> BrokerFailure {
        let client = try open(path)
        let failure = try #require(client.failures.first)
        try client.close()
        return failure
    }
}

/// Another process, as far as the file can tell, that has always something to write.
private final class BusyWriter: @unchecked Sendable {
    // Safe to share: `lock` guards what both threads touch.
    private let address: SQLiteAddress
    private let lock = NSCondition()
    private var count = 0
    private var isToEnd = false
    private var ended: Result<Void, any Error>?

    init(_ address: SQLiteAddress) { self.address = address }

    var commits: Int { lock.withLock { count } }

    /// Waits for one more: it is at it again.
    func commitsAfterNext() throws -> Int {
        try lock.withLock {
            let before = count
            while count == before, ended == nil { lock.wait() }
            try ended?.get()
            return count
        }
    }

    func begin() throws {
        let thread = Thread { [self] in
            let outcome = Result { try work() }
            lock.withLock {
                ended = outcome
                lock.broadcast()
            }
        }
        thread.start()
        lock.withLock { while count == 0, ended == nil { lock.wait() } }
    }

    func end() throws {
        try lock.withLock {
            isToEnd = true
            while ended == nil { lock.wait() }
            try ended?.get()
        }
    }

    private func work() throws {
        let connection = try FileConnection(address)
        let job = FileJob(.write) { _ in
            usleep(20_000)
        } done: { (_: Result<Void, SQLiteFailure>) in
        }
        while !lock.withLock({ isToEnd }) {
            try connection.run([job])
            lock.withLock {
                count += 1
                lock.broadcast()
            }
        }
        try connection.close()
    }
}
