// The connection to SQLite by itself: values there and back, rows, transactions, locks, errors.
import TestKit
import Testing

@testable import SQLite

@Suite("A connection to SQLite")
struct SQLiteDatabaseTests {
    private let folder: TemporaryFolder
    private let database: Database
    private var path: String { folder.path + "/some.db" }

    init() throws {
        folder = try TemporaryFolder()
        database = try Database(path: folder.path + "/some.db")
        try database.script("CREATE TABLE item(value); CREATE TABLE strict(number INTEGER NOT NULL UNIQUE) STRICT")
    }

    private func back<Value: DatabaseValue>(_ value: Value) throws -> Value? {
        try database.value("SELECT ?", value)
    }

    @Test("values come back as they were given")
    func values() throws {
        for number in [0, -1, Int64.max, Int64.min] { #expect(try back(number) == number) }
        #expect(try back(17) == 17)
        #expect(try back(Int32.min) == Int32.min)
        #expect(try back(true) == true)
        #expect(try back(false) == false)
        for text in ["", "a", "grüß\u{0}gott", "👩‍👩‍👧", String(repeating: "x", count: 1 << 20)] {
            #expect(try back(text) == text)
        }
        for bytes in [[], [0], [0xFF, 0x00, 0xFE], [UInt8](repeating: 7, count: 1 << 20)] as [[UInt8]] {
            #expect(try back(bytes) == bytes)
        }
        #expect(try database.value("SELECT typeof(?)", [] as [UInt8]) == "blob")
        #expect(try database.value("SELECT typeof(?)", "") == "text")
        #expect(try database.value("SELECT typeof(?)", nil as String?) == "null")
        #expect(try database.value("SELECT typeof(?)", 5 as Int?) == "integer")
    }

    @Test("a value of another type, NULL and a missing row are nil")
    func otherTypes() throws {
        #expect(try database.value("SELECT 'many'") as Int? == nil)
        #expect(try database.value("SELECT 5") as String? == nil)
        #expect(try database.value("SELECT 5") as [UInt8]? == nil)
        #expect(try database.value("SELECT 'yes'") as Bool? == nil)
        #expect(try database.value("SELECT NULL") as Int? == nil)
        #expect(try database.value("SELECT 1 WHERE 0") as Int? == nil)
        #expect(try database.value("SELECT 5000000000") as Int32? == nil)
        #expect(try database.value("SELECT 1e300") as Int? == nil)
        #expect(try database.value("SELECT 2.5") == 2)
        // Bytes may be a text, and a text is bytes.
        #expect(try database.value("SELECT x'6869'") == "hi")
        #expect(try database.value("SELECT x'ff'") as String? == nil)
        #expect(try database.value("SELECT 'hi'") == [0x68, 0x69] as [UInt8])
    }

    @Test("columns are found by name; rows that nobody wants are not read")
    func rows() throws {
        for number in 1...5 { try database.run("INSERT INTO item VALUES (?)", number) }
        let odd = try database.rows("SELECT value AS number FROM item ORDER BY value") { row -> Int? in
            row.read("number").flatMap { $0 % 2 == 1 ? $0 : nil }
        }
        #expect(odd == [1, 3, 5])
        var seen = 0
        try database.statement("SELECT value FROM item").forEach { _ in
            seen += 1
            return seen < 2
        }
        #expect(seen == 2)
        #expect(try database.first("SELECT value FROM item") { $0.read("nothing") as Int? } == nil)
        try database.run("UPDATE item SET value = 0 WHERE value > ?", 2)
        #expect(database.changesCount == 3)
        try database.run("INSERT INTO item VALUES (?)", 9)
        #expect(database.lastInsertedRowID == 6)
    }

    @Test("a transaction that throws leaves nothing behind, and the next one works")
    func transactions() throws {
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try database.transaction(.immediate) {
                try database.run("INSERT INTO item VALUES (1)")
                throw Stop()
            }
        }
        #expect(try database.value("SELECT count(*) FROM item") == 0)
        try database.transaction(.immediate) { try database.run("INSERT INTO item VALUES (1)") }
        #expect(try database.value("SELECT count(*) FROM item") == 1)
    }

    @Test("an error has SQLite's extended code and words, and its statement can be run again")
    func errors() throws {
        try database.run("INSERT INTO strict VALUES (?)", 1)
        let double = try #require(throws: DatabaseError.self) { try database.run("INSERT INTO strict VALUES (?)", 1) }
        #expect(double.code == 19 && double.extendedCode == 2067)
        #expect(double.message == "UNIQUE constraint failed: strict.number")
        try database.run("INSERT INTO strict VALUES (?)", 2)
        let odd = try #require(throws: DatabaseError.self) { try database.run("INSERT INTO strict VALUES (?)", "x") }
        #expect(odd.extendedCode == 3091)
        let wrong = try #require(throws: DatabaseError.self) { try database.run("SELEKT 1") }
        #expect(wrong.code == 1 && wrong.message.contains("SELEKT"))
        let nowhere = try #require(throws: DatabaseError.self) { try Database(path: folder.path + "/no/such.db") }
        #expect(nowhere.code == 14)
    }

    @Test("a lock of somebody else is asked for again as long as the caller says, then it is busy")
    func busy() throws {
        let other = try Database(path: path)
        try other.script("BEGIN IMMEDIATE")
        var looks: [Int] = []
        let waiting = try Database(path: path) { look in
            looks.append(look)
            return look < 3
        }
        let error = try #require(throws: DatabaseError.self) {
            try waiting.transaction(.immediate) {}
        }
        #expect(error.code == 5)
        #expect(looks == [0, 1, 2, 3])
        try other.script("COMMIT")
        try waiting.transaction(.immediate) {}
        try waiting.close()
        try other.close()
    }
}
