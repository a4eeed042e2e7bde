// Turns of those who write into one file: in which order, and what becomes of one that comes too late.
import Foundation
import TestKit
import Testing

@testable import SQLite

@Suite("The turn to write into the embedded broker's file", .serialized)
struct SQLiteTurnTests {
    private let folder: TemporaryFolder
    private let path: String

    init() throws {
        folder = try TemporaryFolder()
        path = folder.path + "/taskhost.db-wake"
    }

    @Test("those who wait have it in the order in which they came", .timeLimit(.minutes(1)))
    func order() throws {
        let first = try WriteTurn(path: path)
        first.take()
        let order = Order()
        for number in 0..<4 {
            Thread { [path] in
                do {
                    let turn = try WriteTurn(path: path)
                    turn.take()
                    order.add(number)
                    turn.pass()
                    turn.close()
                } catch {
                    Issue.record(error)
                    order.add(-1)
                }
            }.start()
            while try waiting() <= number { usleep(1000) }
        }
        first.pass()
        #expect(order.wait(for: 4) == [0, 1, 2, 3])
        first.close()
    }

    @Test("one that comes when nobody waits for it any more is given back", .timeLimit(.minutes(1)))
    func late() throws {
        let stopped = try WriteTurn(path: path)
        stopped.take()
        let impatient = try WriteTurn(path: path)
        impatient.take()
        impatient.pass()
        #expect(try waiting() == 1)
        stopped.pass()
        while try waiting() > 0 || isTaken() { usleep(1000) }
        // And it can be had again.
        impatient.take()
        #expect(isTaken())
        impatient.pass()
        #expect(!isTaken())
        stopped.close()
        impatient.close()
    }

    /// How many block for it, as the kernel says.
    private func waiting() throws -> Int {
        var facts = stat()
        try #require(stat(path, &facts) == 0)
        let inode = ":\(facts.st_ino) "
        return try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n")
            .filter { $0.contains("-> FLOCK") && $0.contains(inode) }.count
    }

    private func isTaken() -> Bool {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    /// Who had the turn, one after the other.
    private final class Order: @unchecked Sendable {
        // Safe to share: `lock` guards it.
        private let lock = NSCondition()
        private var numbers: [Int] = []

        func add(_ number: Int) {
            lock.withLock {
                numbers.append(number)
                lock.broadcast()
            }
        }

        func wait(for count: Int) -> [Int] {
            lock.withLock {
                while numbers.count < count { lock.wait() }
                return numbers
            }
        }
    }
}
