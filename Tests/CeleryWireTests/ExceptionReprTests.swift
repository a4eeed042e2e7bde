// Exceptions as Python's repr() writes them; the values wanted were printed by CPython 3.11.
import TaskModel
import TaskhostJSON
import Testing

@testable import CeleryWire

@Suite("Exceptions in Python's notation")
struct ExceptionReprTests {
    static let cases: [([JSON], String)] = [
        ([], #"ValueError()"#),
        (["bad", 7], #"ValueError('bad', 7)"#),
        (["two\nlines"], #"ValueError('two\nlines')"#),
        (["tab\tback\\slash\rreturn"], #"ValueError('tab\tback\\slash\rreturn')"#),
        (["it's"], #"ValueError("it's")"#),
        (["it's \"so\""], #"ValueError('it\'s "so"')"#),
        (["\u{1b}[31mred\u{0}"], #"ValueError('\x1b[31mred\x00')"#),
        (["käse \u{2028}\u{a0}\u{1f600}\u{e000}"], #"ValueError('käse \u2028\xa0😀\ue000')"#),
        (
            [["a", nil, true], .object([JSONMember(key: "k", value: 1.5)])],
            #"ValueError(['a', None, True], {'k': 1.5})"#
        ),
    ]

    @Test("as repr() has it, on one line", arguments: cases)
    func exact(_ arguments: [JSON], _ wanted: String) {
        #expect(PythonRepr.exception(type: "ValueError", arguments: arguments) == wanted)
    }

    @Test("what an exception says is its only text, or its arguments as a tuple")
    func messages() {
        func message(_ arguments: JSON) -> String {
            TaskFailure(type: "E", module: "m", arguments: arguments.bytes).message
        }
        #expect(message(["it is \"so\""]) == #"it is "so""#)
        #expect(message([]) == "" && message([7]) == "7" && message(["a", 7]) == "('a', 7)")
    }
}
