// Tasks that are declared apart from how they are done.

import TaskhostSDK
import TaskhostTesting
import Testing

private struct Picture: Codable, Sendable, Equatable {
    var width: Int
}

private struct Resize: TaskDeclaration {
    static let taskName = "images.resize"
    typealias Output = Picture

    @Arg var path: String
    @Arg var width = 800
    @Arg var title: String?

    init() {}
    init(_ path: String, width: Int = 800) { (self.path, self.width) = (path, width) }
}

extension Resize: TaskHandler {
    func run(_ task: TaskContext) -> Picture { Picture(width: width) }
}

private struct Renamed: TaskDeclaration, TaskHandler {
    static let taskName = "images.renamed"
    typealias Output = Void
    static let options = TaskOptions(name: "images.other")

    func run(_ task: TaskContext) {}
}

private struct Calls: TaskHandler {
    func run(_ task: TaskContext) throws { try task.send(try Signature(Resize("a.jpg", width: 3))) }
}

@Suite("declarations")
struct DeclarationTests {
    @Test("a handler goes by its declaration's name, with its arguments and defaults")
    func registration() async throws {
        let (status, tasks) = await FakeHost.register(TaskBundle("b", version: "1") { Resize.self })
        #expect(status == 0)
        #expect(tasks.first?.name == "images.resize")
        #expect(tasks.first?.signature == "path:String,width:Int=800,title:String?=null->Picture")
    }

    @Test("two names for one task refuse the bundle")
    func twoNames() async {
        #expect(await FakeHost.register(TaskBundle("b", version: "1") { Renamed.self }).0 == 1)
    }

    @Test("a call is a signature with its properties as keyword arguments")
    func signature() throws {
        let signature = try Signature(Resize("a.jpg"))
        #expect(signature.task == "images.resize")
        #expect(signature.json["kwargs"] == ["path": "a.jpg", "title": nil, "width": 800])
        #expect(signature.json["args"] == [])
    }

    @Test("a call without a required argument cannot be sent")
    func missing() {
        #expect(throws: EncodingError.self) { try Signature(Resize()) }
    }

    @Test("a task sends another by its declaration")
    func sending() async throws {
        let report = await run(Bundle("t", version: "1") { Calls.self }, "[[],{},{}]")
        #expect(report.ending == "success")
        let sent = try JSON(parsing: try #require(report.sent.first)[2])
        #expect(sent["task"] == "images.resize" && sent["kwargs"]?["width"] == 3)
    }
}
