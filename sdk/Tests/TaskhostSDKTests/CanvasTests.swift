// What a task sends, and what takes its place.

import TaskhostSDK
import TaskhostTesting
import Testing

private let add = Signature("t.add", 1, 2)

private struct Sends: TaskHandler {
    func run(_ task: TaskContext) throws -> [SentTask] {
        [
            try task.send(add), try task.send(add | .group([add, Signature("t.add", 3)]) | Signature("t.sum")),
            try task.addToChord(add.option("task_id", "mine")),
        ]
    }
}

private struct Replaces: TaskHandler {
    @Arg var signature: Signature

    func run(_ task: TaskContext) throws -> Int { throw Replace(with: signature.linked(to: add)) }
}

private struct Vanishes: TaskHandler {
    func run(_ task: TaskContext) throws { throw Replace(with: .chain([])) }
}

private struct Collects: TaskHandler {
    @Arg var first: Int
    @Rest var rest: [JSON]
    @Named var named: [String: JSON]

    func run(_ task: TaskContext) -> [JSON] { [.int(Int64(first)), .array(rest), named["x"] ?? nil] }
}

private struct Misplaced: TaskHandler {
    @Rest var rest: [JSON]
    @Arg var late = 1

    func run(_ task: TaskContext) {}
}

private struct Again: TaskHandler {
    func run(_ task: TaskContext) throws {
        throw Retry(
            after: .seconds(2), failure: TaskError(type: "KeyError", "k"), arguments: [1], keywords: ["b": 2],
            expires: .seconds(9))
    }
}

private struct Reads: TaskHandler {
    func run(_ task: TaskContext) -> [String] { ["\(task.priority ?? -1)", task.replyTo ?? "", "\(task.properties)"] }
}

struct CanvasTests {
    @Test("A sent task's id is made here, and the result of sending is a result clients can wait for")
    func sending() async throws {
        let report = await run(Bundle("t", version: "1") { Sends.self }, "[[],{},{}]")
        #expect(report.ending == "success")
        #expect(report.sent.map { $0[0] } == ["send", "send", "chord"])
        let plain = try JSON(parsing: report.sent[0][2])
        #expect(plain["task"] == "t.add" && plain["args"] == [1, 2])
        #expect(plain["options"]?["task_id"]?.text == report.sent[0][1])
        #expect(report.sent[2][1] == "mine")
        let results = try JSON(parsing: report.value).elements ?? []
        #expect(results.first == [[.string(report.sent[0][1]), nil], nil])
    }

    @Test("A chain's result knows its parents, groups in it their members")
    func parents() async throws {
        let report = await run(Bundle("t", version: "1") { Sends.self }, "[[],{},{}]")
        let steps = try JSON(parsing: report.sent[1][2])["kwargs"]?["tasks"]?.elements ?? []
        let ids = steps.map { $0["options"]?["task_id"] ?? nil }
        let members = (steps[1]["kwargs"]?["tasks"]?.elements ?? []).map { $0["options"]?["task_id"] ?? nil }
        #expect(Set((ids + members).compactMap(\.text)).count == 5)
        let first: JSON = [[ids[0], nil], nil]
        let group: JSON = [[ids[1], first], .array(members.map { [[$0, nil], nil] })]
        #expect(try JSON(parsing: report.value).elements?[1] == [[ids[2], group], nil])
        #expect(report.sent[1][1] == ids[2].text)
    }

    @Test("A task is replaced by the signature it throws, which may have come as an argument")
    func replacing() async throws {
        let report = await run(
            Bundle("t", version: "1") { Replaces.self }, #"[[{"task":"x","args":[],"own":1,"options":{}}],{},{}]"#)
        #expect(report.ending == "replace")
        let signature = try JSON(parsing: report.value)
        #expect(signature["own"] == 1 && signature["options"]?["link"]?.elements?.count == 1)
        let wrong = await run(Bundle("t", version: "1") { Replaces.self }, "[[7],{},{}]")
        #expect(wrong.type == "TypeError")
        let nothing = await run(Bundle("t", version: "1") { Vanishes.self }, "[[],{},{}]")
        #expect(nothing.type == "ImproperlyConfigured" && nothing.module == "celery.exceptions")
    }

    @Test("Properties take what is left over of the arguments, after all others")
    func leftOver() async {
        let bundle = Bundle("t", version: "1") { Collects.self }
        #expect(
            await FakeHost.register(bundle).1.first?.signature
                == "first:Int,*rest:[JSON],**named:[String:JSON]->[JSON]")
        let full = await run(bundle, "[[],{},{}]") { $0.arguments = ["1", #"[2,"z"]"#, #"{"x":3}"#] }
        #expect(full.value == #"[1,[2,"z"],3]"#)
        let empty = await run(bundle, "[[],{},{}]") { $0.arguments = ["1", "[]", "{}"] }
        #expect(empty.value == "[1,[],null]")
        let (status, _) = await FakeHost.register(Bundle("t", version: "1") { Misplaced.self })
        #expect(status == 1)
    }

    @Test("A retry may change the call, and says the failure that is its reason")
    func retrying() async {
        let report = await run(Bundle("t", version: "1") { Again.self }, "[[],{},{}]")
        #expect(report.ending == "retry" && report.type == "KeyError" && report.countdown == 2)
        #expect(report.newArguments == "[1]" && report.keywords == #"{"b":2}"# && report.expires == 9)
    }

    @Test("A task reads its message's properties")
    func properties() async {
        #expect(await run(Bundle("t", version: "1") { Reads.self }, "[[],{},{}]").value.hasPrefix(#"["7","here""#))
    }

    @Test("A chain becomes part of another, unless it has callbacks or options of its own")
    func chains() {
        #expect(((add | add) | (add | add)).tasks.count == 4)
        let called = (add | add).linked(to: add)
        #expect((called | add).tasks.map(\.kind) == ["chain", nil])
        #expect((called | add).tasks[0].options["link"]?.elements?.count == 1)
        #expect((add | (add | add).immutable).tasks.map(\.kind) == [nil, "chain"])
    }

    @Test("Stamps reach every task of a canvas")
    func stamps() {
        let canvas = Signature.chord([add, add | add], body: add).stamped("who", "me")
        let header = canvas.tasks
        #expect(header[0].options["stamped_headers"] == ["who"] && header[1].tasks[1].options["who"] == "me")
        #expect(canvas.json["kwargs"]?["body"]?["options"]?["who"] == "me")
    }
}
