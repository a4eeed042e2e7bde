// What taskhost.toml may say, and how it is told off.
import Settings
import TaskModel
import Testing

@testable import Configuration

@Suite("Settings file")
struct SettingsFileTests {
    private func read(_ text: String) throws -> SettingsLayer {
        try TOMLReader(file: "t.toml", text: text).read()
    }

    private func complaint(_ text: String) -> SettingsFailure? {
        do {
            _ = try TOMLReader(file: "t.toml", text: text).read()
            return nil
        } catch {
            return error
        }
    }

    @Test("values of every kind arrive, with the place they came from")
    func kinds() throws {
        let layer = try read(
            """
            [worker]
            queues = ["urgent", "normal"]
            concurrency = 4
            grace = 2.5
            acks_late = false
            [log]
            level = "WARNING"
            """)
        #expect(layer[Settings.worker.queues] == ["urgent", "normal"])
        #expect(layer[Settings.worker.concurrency] == 4)
        #expect(layer[Settings.worker.grace] == 2.5)
        #expect(layer.taskDefaults().acksLate == false)
        #expect(layer[Settings.log.level] == .warning)
        #expect(layer["worker.grace"]?.origin == "t.toml:4:1")
    }

    @Test("a whole number of seconds need not be written with a point")
    func wholeSeconds() throws {
        #expect(try read("[worker]\ngrace = 3\n")[Settings.worker.grace] == 3)
    }

    @Test("bad syntax is told with line and column")
    func syntax() {
        let failure = complaint("[worker]\nconcurrency = = 3\n")
        #expect(failure != nil)
        #expect(failure?.message.hasPrefix("t.toml:2:15:") == true, "\(failure?.message ?? "")")
    }

    @Test("an unknown key is told with its place and the nearest known one")
    func unknownKey() {
        let failure = complaint("[log]\n\n[worker]\n  concurency = 3\n")
        #expect(failure?.message == "t.toml:4:3: unknown setting worker.concurency")
        #expect(failure?.fix == "did you mean `concurrency`?")
    }

    @Test("an unknown key that resembles nothing gets the list of the known ones")
    func unknownWithoutGuess() {
        #expect(complaint("[log]\nzzzzzzzz = 3\n")?.fix == "known here: file, format, level")
    }

    @Test("an unknown table is told too")
    func unknownTable() {
        #expect(complaint("[brokr]\nurl = \"x\"\n")?.fix == "did you mean `broker`?")
    }

    @Test("a wrong type is told with the expected one")
    func wrongType() {
        #expect(
            complaint("[worker]\nconcurrency = \"four\"\n")?.message
                == "t.toml:2:1: worker.concurrency must be an integer from 1 to 4096, not the string \"four\"")
    }

    @Test("a value where a table belongs is told with the fix")
    func valueForTable() {
        let failure = complaint("broker = \"amqp://\"\n")
        #expect(failure?.message == "t.toml:1:1: broker must be a table, not the string \"amqp://\"")
        #expect(failure?.fix?.contains("[broker]") == true)
    }

    @Test("names with dots are one name when quoted")
    func quotedNames() throws {
        let layer = try read("[tasks.\"images.blur\"]\nkeep = 5\n")
        #expect(layer[["tasks", "images.blur", "keep"]]?.value == .integer(5))
        #expect(layer[["tasks", "images.blur", "keep"]]?.origin == "t.toml:2:1")
    }

    @Test("a queue's free arguments become a field table")
    func arguments() throws {
        let layer = try read("[queues.normal]\narguments = { x-max-length = 10, x-overflow = \"reject-publish\" }\n")
        #expect(
            layer[["queues", "normal", "arguments"]]?.value
                == .arguments(["x-max-length": .int(10), "x-overflow": .string("reject-publish")]))
    }
}
