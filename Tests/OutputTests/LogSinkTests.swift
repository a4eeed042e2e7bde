// The log's writing thread: whoever reads the log slowly costs lines, never the worker's time.

import Foundation
import Glibc
import Testing

@testable import Output

@Suite("the log's sink")
struct LogSinkTests {
    private func pipe() -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        Glibc.pipe(&ends)
        return (ends[0], ends[1])
    }

    @Test("lines arrive whole and in order", .timeLimit(.minutes(1)))
    func inOrder() {
        let (reading, writing) = pipe()
        let sink = LogSink(writingTo: writing)
        for number in 0..<100 { sink.write("line \(number)\n") }
        sink.flush()
        close(writing)
        let read = FileHandle(fileDescriptor: reading, closeOnDealloc: true).readDataToEndOfFile()
        let said = String(decoding: read, as: UTF8.self)
        #expect(said == (0..<100).map { "line \($0)\n" }.joined())
        #expect(sink.lostLines == 0)
    }

    @Test(
        "a reader that stands still keeps nobody waiting; what is lost is counted, and told when it reads on",
        .timeLimit(.minutes(1)))
    func standingStill() {
        let (reading, writing) = pipe()
        let sink = LogSink(writingTo: writing)
        let line = String(repeating: "x", count: 999) + "\n"
        // Returns, though nobody reads: that is the test.
        for _ in 0..<30_000 { sink.write(line) }
        #expect(sink.lostLines > 10_000)
        let lost = sink.lostLines
        let all = Thread.detached { FileHandle(fileDescriptor: reading, closeOnDealloc: true).readDataToEndOfFile() }
        sink.flush(withinSeconds: 60)
        sink.write("the last line\n")
        sink.flush(withinSeconds: 60)
        close(writing)
        let said = String(decoding: all.value(), as: UTF8.self).split(separator: "\n")
        #expect(said.contains { $0.hasSuffix("\(lost) log lines were lost: the reader of the log did not keep up") })
        #expect(said.last == "the last line")
        #expect(said.filter { $0.first == "x" }.count == 30_000 - lost)
    }
}

/// A value that a thread makes.
private final class Eventually<Value>: @unchecked Sendable {
    private let condition = NSCondition()
    private var made: Value?

    func set(_ value: Value) {
        condition.lock()
        made = value
        condition.broadcast()
        condition.unlock()
    }

    func value() -> Value {
        condition.lock()
        defer { condition.unlock() }
        while made == nil { condition.wait() }
        return made!
    }
}

extension Thread {
    fileprivate static func detached<Value>(_ make: @escaping @Sendable () -> Value) -> Eventually<Value> {
        let eventually = Eventually<Value>()
        detachNewThread { eventually.set(make()) }
        return eventually
    }
}
