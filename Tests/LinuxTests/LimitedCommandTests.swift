// Programs that may hang, or write without end.
import Linux
import Testing

@Suite("A program with limits")
struct LimitedCommandTests {
    private func run(_ script: String, seconds: Double = 20, mostBytes: Int = 1 << 20) throws -> LimitedCommand.Outcome
    {
        try LimitedCommand(
            ["/bin/sh", "-c", script], environment: ["WORD": "hello"], seconds: seconds, mostBytes: mostBytes
        ).run()
    }

    @Test("its document and what it says come apart, with its status")
    func document() throws {
        let outcome = try run("echo $WORD >&3; echo out; echo err >&2; exit 3")
        #expect(outcome.ending == .over(status: 3))
        #expect(String(decoding: outcome.document, as: UTF8.self) == "hello\n")
        #expect(outcome.said == "out\nerr\n")
    }

    @Test("one that hangs is ended with what it has started, and what it said until then is told")
    func hangs() throws {
        let outcome = try run("echo before; sleep 1000 & wait", seconds: 0.2)
        #expect(outcome.ending == .tooSlow && outcome.said == "before\n")
    }

    @Test("one that writes without end is ended")
    func endless() throws {
        #expect(try run("exec cat /dev/zero", mostBytes: 1 << 16).ending == .tooMuch)
    }

    @Test("one that is not there is told by its error number")
    func missing() {
        #expect(throws: (any Error).self) {
            try LimitedCommand(["/none/such"], environment: [:], seconds: 1, mostBytes: 1).run()
        }
    }
}
