// Steps of `taskhost call --chain`.
import TaskhostJSON
import Testing

@testable import Output
@testable import taskhost

@Suite("Steps of call") struct CallStepTests {
    @Test("a step is a name and its arguments, split outside of strings and brackets")
    func words() throws {
        let step = try CallStep(#"tasks.scale 2 [1, 2] "two words" plain {"a": [1, 2]}"#, option: "--chain")
        #expect(step.task == "tasks.scale")
        #expect(step.arguments == [2, [1, 2], "two words", "plain", ["a": [1, 2]]])
    }

    @Test("a step without a name is refused")
    func empty() {
        #expect(throws: CommandFailure.self) { try CallStep("  ", option: "--chain") }
    }
}
