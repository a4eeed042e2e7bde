// Words of Celery's command line, and those of ours that are not taken for them.
import ArgumentParser
import Ports
import Testing

@testable import taskhost

@Suite("Celery's words")
struct CeleryWordsTests {
    @Test(
        "Celery's own options and subcommands are answered with what to write here",
        arguments: [
            ["worker", "-P", "gevent"], ["worker", "--pool=solo"], ["worker", "--detach"], ["worker", "-D"],
            ["-A", "proj", "worker", "--uid=1"], ["worker", "-X", "low"], ["worker", "-Iproj.tasks"],
            ["beat", "--scheduler", "x:Y"],
        ])
    func celery(words: [String]) {
        #expect(CeleryWords.answer(words)?.fix?.isEmpty == false)
    }

    @Test("no option that this program has is taken for one of Celery's")
    func ours() {
        var commands: [(type: any ParsableCommand.Type, word: String)] = [(TaskhostCommand.self, "worker")]
        commands += TaskhostCommand.configuration.subcommands.map { ($0, $0.configuration.commandName ?? "") }
        commands += InspectCommand.configuration.subcommands.map { ($0, "inspect") }
        for (command, word) in commands {
            let help = TaskhostCommand.helpMessage(for: command, includeHidden: true, columns: 500)
            for name in help.matches(of: /(?:^|[\s,\/])(--?[a-zA-Z][a-z-]*)/).map({ String($0.output.1) }) {
                #expect(CeleryWords.answer([word, name]) == nil, "\(name) of \(command)")
                #expect(CeleryWords.split([word, name]).dropped.isEmpty, "\(name) of \(command)")
            }
        }
    }

    @Test("what has no effect here is left out with its value, in a worker's command alone")
    func withoutEffect() {
        let words = [
            "worker", "-A", "proj", "--without-gossip", "--without-mingle", "-Ofair", "-O", "fair",
            "--optimization=fair", "-c", "2",
        ]
        let (kept, dropped) = CeleryWords.split(words)
        #expect(kept == ["worker", "-A", "proj", "-c", "2"])
        #expect(dropped == ["--without-gossip", "--without-mingle", "-Ofair", "-O", "fair", "--optimization=fair"])
        #expect(CeleryWords.split(["call", "tasks.add", "-s"]).dropped.isEmpty)
    }

    @Test(
        "the pool that is like ours is left out; others are answered",
        arguments: [["-P", "prefork"], ["-Pprefork"], ["--pool=processes"], ["--pool", "prefork"]])
    func pool(words: [String]) {
        let (kept, dropped) = CeleryWords.split(["worker"] + words + ["-c", "2"])
        #expect(kept == ["worker", "-c", "2"] && dropped == words)
        let other = CeleryWords.split(["worker", "-P", "solo"])
        #expect(other.kept == ["worker", "-P", "solo"] && other.dropped.isEmpty)
        #expect(CeleryWords.split(["worker", "--pool"]).kept == ["worker", "--pool"])
    }

    @Test("global options may stand before a subcommand, a nested one, and one that there is not")
    func leading() {
        #expect(
            ArgumentOrder.normalise(["-A", "proj", "dead", "ls", "celery"]) == ["dead", "ls", "-A", "proj", "celery"])
        #expect(
            ArgumentOrder.normalise(["dead", "-A", "proj", "ls", "celery"]) == ["dead", "ls", "-A", "proj", "celery"])
        #expect(ArgumentOrder.normalise(["-A", "proj", "beat", "next"]) == ["beat", "next", "-A", "proj"])
        #expect(ArgumentOrder.unknownSubcommand(["-A", "proj", "flower"])?.fix?.contains("top") == true)
        #expect(ArgumentOrder.unknownSubcommand(["-A", "proj", "wroker"])?.fix == "taskhost worker")
    }

    @Test("so are its subcommands; words that belong to a task are left alone")
    func subcommands() {
        for word in ["flower", "multi", "shell"] {
            #expect(ArgumentOrder.unknownSubcommand([word])?.fix?.isEmpty == false)
        }
        #expect(CeleryWords.answer(["call", "tasks.add", "-A"]) == nil)
        #expect(CeleryWords.answer(["worker", "-Q", "a", "-c", "2", "-n", "w", "-d"]) == nil)
    }

    @Test("a workflow is revoked by its root; nothing at all is refused")
    func revoke() throws {
        #expect(throws: (any Error).self) { try TaskhostCommand.parseAsRoot(["revoke"]) }
        let command = try #require(try TaskhostCommand.parseAsRoot(["revoke", "--workflow", "r"]) as? RevokeCommand)
        #expect(command.workflow == ["r"] && command.ids.isEmpty)
        #expect(RevokedWorkflow.root(of: RevokedWorkflow.id(root: "r")) == "r" && RevokedWorkflow.root(of: "r") == nil)
    }
}
