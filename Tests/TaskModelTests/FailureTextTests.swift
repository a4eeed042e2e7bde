// Failures as texts.

import TaskModel
import Testing

@Suite("failures as texts")
struct FailureTextTests {
    @Test("one full stop stands between what happened and its fix, whoever wrote it")
    func fullStops() {
        #expect(failureText("it broke", fix: "Mend it") == "it broke. Mend it")
        #expect(failureText("it broke.", fix: "Mend it") == "it broke. Mend it")
        #expect(failureText("it broke", fix: nil) == "it broke")
    }
}
