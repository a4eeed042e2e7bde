// Texts and numbers of strangers, on terminals and in logs.
import Foundation
import Logging
import Testing

@testable import Output

@Suite("Hostile text")
struct HostileTextTests {
    private static let evil = "a\u{1B}[2J\nforged\r\u{9B}31m\u{202E}\u{2028}z"

    @Test("on one line nothing steers, breaks or turns")
    func line() {
        #expect(
            Printable.line(Self.evil) == "a\\u{1B}[2J\\nforged\\r\\u{9B}31m\\u{202E}\\u{2028}z")
        #expect(Printable.line("größer \"ok\" \\ 日本") == "größer \"ok\" \\ 日本")
    }

    @Test("a text of several lines keeps its line feeds and tabs, and nothing else")
    func lines() {
        #expect(Printable.lines("a\n\tb\u{1B}c\r\n") == "a\n\tb\\u{1B}c\\r\n")
    }

    @Test("a log record has one line that begins at the margin")
    func record() throws {
        let path = NSTemporaryDirectory() + "hostile-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let handler = HumanLog(sink: try LogSink(path: path), coloured: false)
        var logger = Logger(label: "test") { _ in handler }
        logger[metadataKey: "task"] = .string(Self.evil)
        logger.info("task \(Self.evil) failed\nTraceback")
        var text = ""
        // A sink may write later.
        let deadline = Date().addingTimeInterval(20)
        while !text.contains("Traceback"), Date() < deadline {
            text = try String(contentsOfFile: path, encoding: .utf8)
        }
        #expect(!text.contains("\u{1B}") && !text.contains("\r"))
        let margins = text.split(separator: "\n").filter { !$0.hasPrefix("    ") }
        #expect(margins.count == 1, "\(text)")
    }

    @Test("whatever a task or a message says, a log record has a bound")
    func bounded() {
        let short = String(repeating: "é", count: LogText.maxBytes / 2)
        #expect(LogText.bounded(short) == short)
        let cut = LogText.bounded("x" + short)
        #expect(cut.hasPrefix("xéé") && cut.hasSuffix("é… (2 bytes more)"))
        #expect(LogText.bounded(String(repeating: "x", count: 1 << 20)).utf8.count < LogText.maxBytes + 40)
    }
}
