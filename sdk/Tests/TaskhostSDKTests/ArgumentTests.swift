// What the host has bound, as a handler's properties: defaults, conversion, and the words of errors.

import TaskhostSDK
import TaskhostTesting
import Testing

private struct Add: TaskHandler {
    @Arg var x: Int
    @Arg var y: Int
    func run(_ task: TaskContext) -> Int { x + y }
}

private struct Scale: TaskHandler {
    @Arg var value: Double
    @Arg var factor = 0.5
    @Arg var label: String?
    func run(_ task: TaskContext) -> String { "\(value * factor) \(label ?? "-")" }
}

private struct Renamed: TaskHandler {
    @Arg var first: Int
    @Arg var second = 10
    enum CodingKeys: String, CodingKey {
        case second = "two"
        case first = "one"
    }
    func run(_ task: TaskContext) -> [Int] { [first, second] }
}

private let add = TaskBundle("tasks", version: "1") { Add.self }
private let scale = TaskBundle("tasks", version: "1") { Scale.self }
private let renamed = TaskBundle("tasks", version: "1") { Renamed.self }

@Suite("arguments")
struct ArgumentTests {
    @Test(
        "what is not given takes its default, and an optional is nil without one",
        arguments: [
            (["4"], "2.0 -"), (["4", "2"], "8.0 -"), (["4", "2.5", nil], "10.0 -"), (["4", nil, #""l""#], "2.0 l"),
            (["4", nil, "null"], "2.0 -"),
        ])
    func defaults(given: [String?], value: String) async {
        #expect(await run(scale, "[[],{},{}]") { $0.arguments = given }.value == "\"\(value)\"")
    }

    @Test("a call that doesn't fit has been failed by the host, and the handler is not run")
    func refused() async {
        #expect(await run(add, "[[4,6],{},{}]") { $0.arguments = nil } == Report(ending: "refused"))
    }

    @Test("position follows the declaration and names the coding keys, whatever the keys' order")
    func codingKeys() async {
        #expect(await FakeHost.register(renamed).1.first?.signature == "one:Int,two:Int=10->[Int]")
        #expect(await run(renamed, "[[1,2],{},{}]").value == "[1,2]")
        #expect(await run(renamed, "[[1],{},{}]").value == "[1,10]")
    }

    @Test(
        "a value of the wrong type is refused by name",
        arguments: [
            (#"[["4",6],{},{}]"#, "argument 'x': 'str' object cannot be interpreted as an integer"),
            ("[[4.0,6],{},{}]", "argument 'x': 'float' object cannot be interpreted as an integer"),
            ("[[true,6],{},{}]", "argument 'x': 'bool' object cannot be interpreted as an integer"),
            ("[[null,6],{},{}]", "argument 'x': 'NoneType' object cannot be interpreted as an integer"),
        ])
    func wrongType(body: String, message: String) async {
        let report = await run(add, body)
        #expect(report.type == "TypeError")
        #expect(report.message == message)
    }

    @Test("an integer beyond the type is an OverflowError")
    func overflow() async {
        let report = await run(add, "[[100000000000000000000,6],{},{}]")
        #expect(report.type == "OverflowError")
        #expect(report.module == "builtins")
    }

    @Test("an argument that can't be read is a ValueError, and what the host keeps for itself is not looked at")
    func unreadable() async {
        let report = await run(add, #"[[4,{"\ud800":6}],{},{}]"#)
        #expect(report.type == "ValueError")
        #expect(report.message == "argument 'y' can't be read: half of a surrogate pair at byte 1")
        #expect(await run(add, #"[[4,6],{},{"callbacks":[{"task":"\ud800"}]}]"#).value == "10")
    }

    @Test("NaN, infinities and integers reach a Double")
    func doubles() async {
        #expect(await run(scale, "[[NaN],{},{}]").value == #""nan -""#)
        #expect(await run(scale, "[[-Infinity],{},{}]").value == #""-inf -""#)
        #expect(await run(scale, "[[3],{},{}]").value == #""1.5 -""#)
        #expect(await run(scale, #"[["3"],{},{}]"#).message == "argument 'value': must be real number, not str")
    }
}
