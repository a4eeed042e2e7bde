// A new remote command is one more row.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Control

extension CommandHandler {
    fileprivate func echo(_ arguments: CommandArguments) throws(CommandError) -> RemoteCommand.Response {
        try arguments.require("word")
        return ok("\(engine.nodeName) says \(arguments["word"]?.text ?? "")")
    }
}

@Suite("A command that is one more row")
struct MadeUpCommandTests {
    private func handler(
        _ effect: RemoteCommand.Effect = .changes, _ policy: ControlPolicy = ControlPolicy()
    ) -> CommandHandler {
        let row = RemoteCommand(
            "echo", aliases: ["old_echo"], effect, CommandHandler.echo, "say it again", [.text("word")])
        return CommandHandler(
            engine: FakeEngine(), facts: ControlFacts(version: "1", broker: [], resultStore: "", settings: { _ in [] }),
            events: nil, policy: policy, commands: CommandTable(CommandTable.all.commands + [row]), loop: FakeLoop(),
            log: { _, _ in })
    }

    private func answer(_ handler: CommandHandler, _ method: String, _ arguments: JSON = ["word": "hi"]) throws -> JSON?
    {
        let content = ControlContent(body: ["method": .string(method), "arguments": arguments], type: .json)
        let request = try ControlRequest(content, of: WireMessage(headers: [:], body: []))
        guard case .handled(.answered(let answer?)) = handler.handle(request, now: 0) else { return nil }
        return answer.make()
    }

    @Test("it is answered by its name and its alias", arguments: ["echo", "old_echo"])
    func answered(name: String) throws {
        #expect(try answer(handler(), name) == ["ok": "w1@test says hi"])
    }

    @Test("what its arguments lack is said in Python's words")
    func arguments() throws {
        #expect(
            try answer(handler(), "echo", [:])
                == ["error": "TypeError(\"echo() missing 1 required positional argument: 'word'\")"])
    }

    @Test("its effect says whether a worker that is only to be looked at obeys")
    func policy() throws {
        let restricted = ControlPolicy(isReadOnly: true)
        #expect(try answer(handler(.changes, restricted), "echo")?["error"]?.text?.hasPrefix("PermissionError") == true)
        #expect(try answer(handler(.acts, restricted), "echo") == ["ok": "w1@test says hi"])
        #expect(try answer(handler(.reads, restricted), "echo") == ["ok": "w1@test says hi"])
    }

    @Test("without the row nobody knows it")
    func unknown() throws {
        #expect(try answer(handler(), "ecco") == ["error": "KeyError('ecco')"])
    }
}
