// Rows of Celery's tables, against rows that its own backend has written (Fixtures: with PostgreSQL, and with MariaDB
// 10.11 by PyMySQL; result_extended, save for "plain").
import Foundation
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import SQLRows

@Suite("Rows of Celery's tables")
struct SQLRowTests {
    private let format = RowFormat(codec: nil, readers: .celery57)
    private let old = RowFormat(codec: nil, readers: .celery56)

    /// By the end of their names: "ext-ok" is "ok".
    private static func rows(_ version: String) throws -> [String: TaskRow] {
        let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        let text = try Data(contentsOf: folder.appendingPathComponent("Fixtures/celery-rows-\(version).json"))
        var rows: [String: TaskRow] = [:]
        for item in try JSON(parsing: [UInt8](text), limits: .trusted).elements ?? [] {
            var row = TaskRow(taskID: item["task_id"]?.text ?? "", status: item["status"]?.text ?? "")
            row.result = bytes(item["result"])
            row.traceback = item["traceback"]?.text
            row.children = bytes(item["children"])
            var extended = TaskRow.Extended()
            extended.name = item["name"]?.text
            extended.args = bytes(item["args"])
            extended.kwargs = bytes(item["kwargs"])
            extended.worker = item["worker"]?.text
            extended.retries = item["retries"]?.integer.map { Int32($0) }
            extended.queue = item["queue"]?.text
            extended.stamps = bytes(item["stamps"])
            if !extended.isEmpty { row.extended = extended }
            rows[String(row.taskID.dropFirst(4))] = row
        }
        return rows
    }

    private static func bytes(_ value: JSON?) -> [UInt8]? {
        guard let digits = value?.text?.dropFirst(2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).compactMap { start in
            UInt8(digits.dropFirst(start).prefix(2), radix: 16)
        }
    }

    private func document(_ row: TaskRow?) throws -> JSON {
        try JSON(parsing: try #require(row).document(format), limits: .trusted)
    }

    @Test("what Celery 5.7 has written is read, every state of it", arguments: ["5.7", "5.7-mariadb"])
    func reads(version: String) throws {
        let rows = try Self.rows(version)
        let success = try document(rows["ok"])
        #expect(success["status"]?.text == "SUCCESS")
        #expect(success["result"] == ["a": [1, 2.5, nil, "ü"]])
        #expect(success["children"] == [])
        #expect(success["args"] == [1, 2] && success["kwargs"] == ["k": "ü"])
        #expect(success["worker"]?.text == "celery@h" && success["retries"]?.integer == 1)
        #expect(success["task_id"]?.text == "ext-ok")
        let failure = try document(rows["fail"])
        #expect(
            failure["result"]?["exc_type"]?.text == "ValueError" && failure["result"]?["exc_message"] == ["bad", 7])
        #expect(failure["traceback"]?.text?.hasSuffix("ValueError") == true)
        #expect(try document(rows["none"])["result"] == .null)
        #expect(try document(rows["started"])["result"]?["pid"]?.integer == 1)
        let children = try document(rows["kids"])["children"]
        #expect(children == [[["child1", nil], nil], [["gg", nil], [[["m1", nil], nil]]]])
        let stamped = try document(rows["stamped"])
        #expect(stamped["stamped_headers"] == ["s"] && stamped["s"] == ["a"])
        #expect(try document(rows["revokednoreq"])["name"] == nil)
    }

    @Test("without result_extended there is less, in the same words")
    func readsPlain() throws {
        let success = try document(try Self.rows("5.7-mariadb-plain")["ok"])
        #expect(success["result"] == ["a": [1, 2.5, nil, "ü"]])
        #expect(success["name"] == nil && success["worker"] == nil)
    }

    @Test(
        "what is written has in its columns what Celery has in them",
        arguments: ["5.7", "5.7-mariadb", "5.7-mariadb-plain"])
    func writes(version: String) throws {
        for (name, row) in try Self.rows(version) {
            let record = ResultRecord(
                taskID: row.taskID, state: TaskState(rawValue: row.status), meta: try row.document(format),
                replyTo: nil,
                correlationID: nil, expiresAfterSeconds: nil)
            let written = try TaskRow(record, format)
            #expect(written.traceback == row.traceback, "\(name)")
            for (ours, theirs) in [
                (written.result, row.result), (written.children, row.children),
                (written.extended?.args, row.extended?.args), (written.extended?.stamps, row.extended?.stamps),
            ] {
                #expect(try ours.map { try JSON(parsing: $0) } == theirs.map { try JSON(parsing: $0) }, "\(name)")
            }
            #expect(written.extended?.name == row.extended?.name && written.extended?.queue == row.extended?.queue)
        }
    }

    @Test("a pickle is not read, whoever wrote it, and the reason names the version")
    func refusesPickles() throws {
        let row = try #require(try Self.rows("5.6")["ok"])
        let failure = #expect(throws: StoreFailure.self) { try row.document(old) }
        #expect(failure?.detail.contains("pickle") == true && failure?.detail.contains("5.6") == true)
    }

    @Test("pickles for old clients are read by Python as the values that went in")
    func pickles() throws {
        let values = [
            "null", "true", "false", "0", "-1", "2147483648", "-2147483649", "123456789012345678901234567890", "2.5",
            "-0.0", "1e400", #""""#, #""grüße \ud83d\ude42 \n""#, #""half \ud800 here""#, "[]", "{}",
            #"{"a": [1, {"b": null}], "ü": [true, [2.5]]}"#,
        ]
        let list = "[\(values.joined(separator: ", "))]"
        let python = Process()
        let (input, output) = (Pipe(), Pipe())
        python.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        let script = """
            import json, pickle, sys
            print(pickle.load(sys.stdin.buffer) == json.loads(sys.argv[1]))
            """
        python.arguments = ["python3", "-c", script, list]
        python.standardInput = input
        python.standardOutput = output
        try python.run()
        let value = try JSON(parsing: [UInt8](list.utf8), limits: .trusted)
        try input.fileHandleForWriting.write(contentsOf: Data(Pickle.written(value)))
        try input.fileHandleForWriting.close()
        let answer = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        python.waitUntilExit()
        #expect(answer == "True\n")
    }

    @Test("what the columns cannot take is refused for good, what is for people only is made shorter")
    func bounds() throws {
        func row(_ id: String, _ state: String, _ fields: String = "") throws -> TaskRow {
            let meta = #"{"status": "\#(state)", "result": 1, "traceback": "a\u0000b", "children": []\#(fields)}"#
            return try TaskRow(
                ResultRecord(
                    taskID: id, state: TaskState(rawValue: state), meta: [UInt8](meta.utf8), replyTo: nil,
                    correlationID: nil, expiresAfterSeconds: nil), format)
        }
        let long = String(repeating: "ü", count: 156)
        #expect(throws: StoreFailure.self) { try row(long, "SUCCESS") }
        #expect(throws: StoreFailure.self) { try row("a", String(repeating: "S", count: 51)) }
        let kept = try row(String(long.dropLast()), "SUCCESS", #", "name": "\#(long)", "worker": null"#)
        #expect(kept.extended?.name == String(long.dropLast()))
        #expect(kept.traceback == "a\u{FFFD}b")
    }
}
