// Codable values in and out.

import TaskhostSDK
import TaskhostTesting
import Testing

private struct Stop: Codable, Sendable {
    var name: String
    var minutes: UInt8 = 5
    var note: String?
}

private enum Colour: String, Codable { case red, green }

private enum Shape: Codable {
    case circle(radius: Double)
    case square
}

private struct Route: TaskHandler {
    @Arg var stops: [Stop]
    @Arg var tolls: [String: Int] = [:]
    @Arg var colour = Colour.red
    func run(_ task: TaskContext) -> [Stop] {
        stops + [Stop(name: "\(tolls.values.reduce(0, +)) \(colour)", minutes: 0)]
    }
}

private struct Echo: TaskHandler {
    @Arg var value: JSON
    func run(_ task: TaskContext) -> JSON { value }
}

private struct Raw: TaskHandler {
    @Arg var data: [UInt8]
    @Arg var id: String
    func run(_ task: TaskContext) -> String { "\(data) \(id)" }
}

private struct Report2: Encodable, Sendable {
    var big = UInt64.max
    var half = Float(0.5)
    var nothing: Int?
    var inner = ["a": [1.0, .nan]]
    var shape = Shape.circle(radius: 2)
    var text = "ü\u{1F600}"
}

private struct Summary: TaskHandler {
    func run(_ task: TaskContext) -> Report2 { Report2() }
}

private struct Silent: TaskHandler {
    func run(_ task: TaskContext) {}
}

private struct Unspeakable: Encodable, Sendable {
    func encode(to encoder: any Encoder) throws { throw TaskError("no words") }
}

private struct Stuck: TaskHandler {
    func run(_ task: TaskContext) -> Unspeakable { Unspeakable() }
}

@Suite("values")
struct ValueTests {
    private let route = TaskBundle("t", version: "1") { Route.self }
    private let echo = TaskBundle("t", version: "1") { Echo.self }

    @Test("nested structs, dictionaries and enums are read and written")
    func nested() async {
        let report = await run(
            route, #"[[[{"name":"a","minutes":1,"note":"n"}],{"x":2,"y":3},"green"],{},{}]"#)
        #expect(
            report.value == #"[{"name":"a","minutes":1,"note":"n"},{"name":"5 green","minutes":0}]"#)
    }

    @Test(
        "a mistake inside a value names the place",
        arguments: [
            (
                #"[[[{"name":"a","minutes":1},{"name":3,"minutes":1}]],{},{}]"#, "TypeError",
                "argument 'stops[1].name' must be str, not int"
            ),
            (#"[[[{"minutes":1}]],{},{}]"#, "TypeError", "argument 'stops[0]': missing key 'name'"),
            (
                #"[[[{"name":"a","minutes":256}]],{},{}]"#, "OverflowError",
                "argument 'stops[0].minutes': int does not fit UInt8"
            ),
            (#"[[{}],{},{}]"#, "TypeError", "argument 'stops' must be list, not dict"),
        ])
    func places(body: String, type: String, message: String) async {
        let report = await run(route, body)
        #expect(report.type == type)
        #expect(report.message == message)
    }

    @Test("a word an enum does not have is a ValueError that names the argument")
    func enumeration() async {
        let report = await run(route, "[[],{},{}]") { $0.arguments = ["[]", nil, #""blue""#] }
        #expect(report.type == "ValueError")
        #expect(report.message.hasPrefix("argument 'colour': "))
    }

    @Test(
        "JSON passes through unconverted",
        arguments: ["123456789012345678901234567890", "1.0", "1", "NaN", #"{"a":[null,true,"x"]}"#])
    func passthrough(value: String) async {
        #expect(await run(echo, "[[\(value)],{},{}]").value == value)
    }

    @Test("a required argument of any type is required all the same")
    func requiredJSON() async {
        #expect(await FakeHost.register(echo).1.first?.signature == "value:JSON->JSON")
    }

    @Test("Kombu's bytes and UUIDs become bytes and text")
    func kombu() async {
        let raw = TaskBundle("t", version: "1") { Raw.self }
        let uuid = #"{"__type__":"uuid","__value__":{"hex":"00112233445566778899aabbccddeeff"}}"#
        #expect(
            await run(raw, #"[[{"__type__":"base64","__value__":"AP8="},\#(uuid)],{},{}]"#).value
                == #""[0, 255] 00112233-4455-6677-8899-aabbccddeeff""#)
        #expect(await run(raw, #"[[{"__type__":"bytes","__value__":"A"},"i"],{},{}]"#).value == #""[65] i""#)
        #expect(await run(raw, #"[[[1,2],"i"],{},{}]"#).value == #""[1, 2] i""#)
        #expect(
            await run(raw, #"[[{"__type__":"base64","__value__":"A"},"i"],{},{}]"#).message
                == "argument 'data': invalid base64")
    }

    @Test("results keep 64-bit integers, NaN and all of Unicode")
    func results() async {
        let summary = TaskBundle("t", version: "1") { Summary.self }
        #expect(
            await run(summary, "[[],{},{}]").value
                == #"{"big":18446744073709551615,"half":0.5,"inner":{"a":[1.0,NaN]},"#
                + #""shape":{"circle":{"radius":2.0}},"text":"\u00fc\ud83d\ude00"}"#)
    }

    @Test("a result of Void is null")
    func void() async {
        let report = await run(TaskBundle("t", version: "1") { Silent.self }, "[[],{},{}]")
        #expect(report.ending == "success")
        #expect(report.value == "null")
    }

    @Test("a result that can't be encoded is Kombu's EncodeError")
    func encodeError() async {
        let report = await run(TaskBundle("t", version: "1") { Stuck.self }, "[[],{},{}]")
        #expect(report.type == "EncodeError")
        #expect(report.module == "kombu.exceptions")
        #expect(report.message.contains("no words"))
    }
}
