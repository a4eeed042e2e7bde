// Texts and numbers that came over the wire, where commands show them.
import CeleryWire
import Ports
import TaskModel
import TaskhostJSON
import Testing

@testable import Output
@testable import taskhost

@Suite("Hostile text in what commands print")
struct HostileTextTests {
    private static let evil = "a\u{1B}[2J\nforged\r\u{9B}31m\u{202E}\u{2028}z"

    @Test("a dead letter's texts make no lines of their own")
    func deadLetter() {
        var message = WireMessage(headers: ["task": .string(Self.evil)], body: [])
        message.properties.correlationID = Self.evil
        let letter = DeadLetter(id: Self.evil, queue: Self.evil, message: message)
        for text in [DeadText.line(letter, nil)] + DeadText.page(letter, nil).split(separator: "\n").map(String.init) {
            #expect(Printable.line(text) == text)
        }
        #expect(DeadText.page(letter, nil).split(separator: "\n").count == 3)
    }
}
