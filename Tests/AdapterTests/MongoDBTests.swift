// What MongoDB alone has: its addresses, and documents of BSON.
import Foundation
import Loop
import Ports
import TaskModel
import TestKit
import Testing

@testable import MongoDB

@Suite("MongoDB, without a server")
struct MongoDBRuleTests {
    @Test(
        "addresses are read as Celery writes them",
        arguments: [
            ("mongodb://", "celery", "mongodb://localhost/celery"),
            (
                "mongodb://a.example:1,b.example/results?replicaSet=rs0", "results",
                "mongodb://a.example:1,b.example/results"
            ),
            ("mongodb://u:s%40cret@h/?authSource=admin&tls=true", "celery", "mongodb://u@h/celery"),
        ])
    func addresses(text: String, database: String, shown: String) throws {
        let address = try MongoDBAddress(url: text)
        #expect(address.database == database && "\(address)" == shown)
    }

    @Test(
        "an address that cannot be used says why, and no secret",
        arguments: [
            ("mongodb://u:secret@h/?w=0", "without confirmation"), ("mongodb://u:secret@h:99999/", "cannot be used"),
            ("mongodb://u:secret@/celery", "cannot be used"), ("mongodb:x", "no \"://\""),
        ])
    func refusals(text: String, word: String) throws {
        let failure = #expect(throws: StoreFailure.self) { try MongoDBAddress(url: text) }
        #expect(failure?.description.contains(word) == true && failure?.description.contains("secret") == false)
    }

    // Made by bson.encode of pymongo 4.20.1 from what Celery stores.
    private static let written =
        "e1000000025f69640003000000553100027374617475730008000000535543434553530002726573756c74000a000000"
        + "7b22c3a9223a20317d000a74726163656261636b00046368696c6472656e00250000000430001d000000043000120000"
        + "00023000030000005532000a3100000a3100000009646174655f646f6e6500104e7e2da20100000267726f75705f6964"
        + "00020000006700046172677300360000001030000100000012310000f2052a0100000001320000000000000004400833"
        + "00010334000d000000036100050000000000001072657472696573000000000000"

    private static let document =
        #"{"status": "SUCCESS", "result": {"é": 1}, "traceback": null, "children": [[["U2", null], null]], "#
        + #""date_done": "2026-11-30T17:26:21.968000+00:00", "task_id": "U1", "group_id": "g", "#
        + #""args": [1, 5000000000, 2.5, true, {"a": {}}], "retries": 0}"#

    @Test("a result makes the document that pymongo makes of it, and back")
    func documents() throws {
        let record = ResultRecord(
            taskID: "U1", state: .success, meta: [UInt8](Self.document.utf8), replyTo: nil, correlationID: nil,
            expiresAfterSeconds: nil)
        let bytes = try ResultDocument.bytes(record, nil) { $0 }
        #expect(bytes.map { String(format: "%02x", $0) }.joined() == Self.written)
        #expect(ResultDocument.taskID(bytes) == "U1")
        let back = String(decoding: try ResultDocument.meta(bytes, nil), as: UTF8.self)
        #expect(
            back.replacingOccurrences(of: " ", with: "")
                == #"{"task_id":"U1","status":"SUCCESS","result":{"é":1},"traceback":null,"#
                + #""children":[[["U2",null],null]],"date_done":"2026-11-30T17:26:21.968000+00:00","group_id":"g","#
                + #""args":[1,5000000000,2.5,true,{"a":{}}],"retries":0}"#)
    }

    @Test("what is no document is read as an empty one, wherever it breaks off")
    func broken() throws {
        let record = ResultRecord(
            taskID: "U1", state: .success, meta: [UInt8](Self.document.utf8), replyTo: nil, correlationID: nil,
            expiresAfterSeconds: nil)
        let bytes = try ResultDocument.bytes(record, nil) { $0 }
        for length in bytes.indices { #expect(BSONReader.members(of: Array(bytes[..<length])).isEmpty) }
        for place in bytes.indices {
            var changed = bytes
            changed[place] = 0xFE
            _ = BSONReader.members(of: changed)
        }
    }

    @Test("a result above 16 MiB is refused for good")
    func tooLarge() throws {
        let text = String(repeating: "x", count: 17 << 20)
        let record = ResultRecord(
            taskID: "U1", state: .success, meta: meta(.success, text), replyTo: nil, correlationID: nil,
            expiresAfterSeconds: nil)
        let failure = #expect(throws: StoreFailure.self) { _ = try ResultDocument.bytes(record, nil) { $0 } }
        #expect(failure?.isPermanent == true)
    }

    @Test("errors are sorted by their code")
    func errors() {
        let kinds: [(Int64, MongoDBError.Kind)] = [
            (11000, .duplicate), (13, .forbidden), (18, .refused), (121, .unfit), (10334, .unfit), (91, .passing),
            (10107, .passing), (14031, .passing), (4711, .passing),
        ]
        for (code, kind) in kinds { #expect(MongoDBError(code: code, "x").kind == kind) }
    }
}
