// Arguments: binding, defaults, conversion, and the words of errors.

import TaskhostSDK
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

private struct Three: TaskHandler {
    @Arg var a: Int
    @Arg var b: Int
    @Arg var c: Int
    func run(_ task: TaskContext) -> Int { a + b + c }
}

private struct One: TaskHandler {
    @Arg var a: Int
    func run(_ task: TaskContext) -> Int { a }
}

private struct Nothing: TaskHandler {
    func run(_ task: TaskContext) -> Int { 7 }
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
        "arguments bind by position, by keyword and mixed",
        arguments: ["[[4,6],{},{}]", #"[[4],{"y":6},null]"#, #"[[],{"y":6,"x":4},{}]"#])
    func binding(body: String) async {
        let report = await run(add, body)
        #expect(report.ending == "success")
        #expect(report.value == "10")
    }

    @Test(
        "defaults are honoured by position and by keyword, and an optional is nil without one",
        arguments: [
            ("[[4],{},{}]", "2.0 -"), ("[[4,2],{},{}]", "8.0 -"), (#"[[4],{"factor":2.5},{}]"#, "10.0 -"),
            (#"[[4],{"label":"l"},{}]"#, "2.0 l"), (#"[[4],{"label":null},{}]"#, "2.0 -"),
        ])
    func defaults(body: String, value: String) async {
        #expect(await run(scale, body).value == "\"\(value)\"")
    }

    @Test(
        "mistakes in a call read as in Python",
        arguments: [
            ("[[4],{},{}]", "add() missing 1 required positional argument: 'y'"),
            ("[[],{},{}]", "add() missing 2 required positional arguments: 'x' and 'y'"),
            ("[[1,2,3],{},{}]", "add() takes 2 positional arguments but 3 were given"),
            (#"[[1,2],{"q":1},{}]"#, "add() got an unexpected keyword argument 'q'"),
            (#"[[1,2],{"x":1},{}]"#, "add() got multiple values for argument 'x'"),
            (#"[[1,2,3],{"q":1},{}]"#, "add() got an unexpected keyword argument 'q'"),
            ("[[1,2],[3],{}]", "add() argument after ** must be a mapping, not list"),
        ])
    func mistakes(body: String, message: String) async {
        let report = await run(add, body)
        #expect(report.ending == "failure")
        #expect(report.type == "TypeError")
        #expect(report.module == "builtins")
        #expect(report.message == message)
    }

    @Test("counts are put as Python puts them")
    func counts() async {
        let three = TaskBundle("t", version: "1") { Three.self }
        #expect(
            await run(three, "[[],{},{}]").message
                == "three() missing 3 required positional arguments: 'a', 'b', and 'c'")
        let one = TaskBundle("t", version: "1") { One.self }
        #expect(await run(one, "[[1,2],{},{}]").message == "one() takes 1 positional argument but 2 were given")
        let none = TaskBundle("t", version: "1") { Nothing.self }
        #expect(await run(none, "[[1],{},{}]").message == "nothing() takes 0 positional arguments but 1 was given")
        #expect(
            await run(scale, "[[1,2,null,4],{},{}]").message
                == "scale() takes from 1 to 3 positional arguments but 4 were given")
    }

    @Test("position follows the declaration and keywords the coding keys, whatever the keys' order")
    func codingKeys() async {
        #expect(await run(renamed, "[[1,2],{},{}]").value == "[1,2]")
        #expect(await run(renamed, #"[[],{"two":2,"one":1},{}]"#).value == "[1,2]")
        #expect(await run(renamed, "[[1],{},{}]").value == "[1,10]")
        #expect(
            await run(renamed, #"[[1],{"second":2},{}]"#).message
                == "renamed() got an unexpected keyword argument 'second'")
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

    @Test("a body that can't be read is a ValueError, and what the host keeps for itself is not looked at")
    func unreadable() async {
        let report = await run(add, #"[[{"\ud800":4},6],{},{}]"#)
        #expect(report.type == "ValueError")
        #expect(report.message == "the message's arguments can't be read: half of a surrogate pair at byte 2")
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
