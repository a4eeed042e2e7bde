// The pieces that meet hostile input: frames, output, ELF files, crash texts.

import CRunnerProtocol
import Glibc
import TestKit
import Testing

@testable import Runner

@Suite("pieces")
struct PieceTests {
    @Test("frames come out whole however the bytes were cut")
    func frameCuts() throws {
        var stream: [UInt8] = []
        var expected: [[UInt8]] = []
        for number in 0..<200 {
            let payload = [UInt8](repeating: UInt8(number), count: number * 7 % 531)
            let header = frame_header(
                length: UInt32(payload.count), type: 18, code: UInt16(number), sequence: UInt64(number))
            withUnsafeBytes(of: header) { stream.append(contentsOf: $0) }
            stream += payload
            expected.append(payload)
        }
        for seed in 1...20 {
            var random = Steps(seed: UInt64(seed))
            var reader = FrameReader()
            var got: [[UInt8]] = []
            var rest = stream[...]
            while !rest.isEmpty {
                let piece = Array(rest.prefix(Int(random.next() % 700) + 1))
                rest = rest.dropFirst(piece.count)
                try piece.withUnsafeBytes { bytes in
                    try reader.feed(bytes) { header, payload in
                        #expect(Int(header.code) == got.count)
                        got.append([UInt8](payload))
                        return true
                    }
                }
            }
            #expect(got == expected, "seed \(seed)")
            #expect(reader.isEmpty)
        }
    }

    @Test("a frame longer than allowed is refused as soon as its header is there")
    func hugeFrame() {
        var reader = FrameReader()
        let header = frame_header(length: UInt32(RUNNER_FRAME_MAX) + 1, type: 16, code: 0, sequence: 1)
        #expect(throws: FrameReader.Violation.self) {
            try withUnsafeBytes(of: header) { try reader.feed($0) { _, _ in true } }
        }
    }

    @Test("the tail holds the last 64 KiB; long lines are cut, too many are counted")
    func outputBounds() {
        var capture = OutputCapture()
        var lines: [String] = []
        let line = Array((String(repeating: "x", count: 20_000) + "\n").utf8)
        for _ in 0..<10 { line.withUnsafeBytes { capture.append($0, now: 1) { lines.append($0) } } }
        #expect(lines.allSatisfy { $0.utf8.count <= OutputCapture.lineLimit })
        #expect(lines.joined().utf8.count == 200_000)
        lines = []
        let short = Array("a\n".utf8)
        for _ in 0..<5000 { short.withUnsafeBytes { capture.append($0, now: 1) { lines.append($0) } } }
        #expect(lines.count < 1000)
        let tail = capture.finish { lines.append($0) }
        #expect(tail.count == OutputCapture.tailLimit)
        #expect(tail.suffix(4).elementsEqual(Array("a\na\n".utf8)))
        #expect(lines.last?.contains("lines left out") == true)
        #expect(capture.finish { _ in }.isEmpty)
    }

    @Test("text without a newline is a line of its own at the end")
    func unfinishedLine() {
        var capture = OutputCapture()
        var lines: [String] = []
        for piece in ["one\ntw", "o", "\n", "three"] {
            Array(piece.utf8).withUnsafeBytes { capture.append($0, now: 1) { lines.append($0) } }
        }
        #expect(lines == ["one", "two"])
        #expect(String(decoding: capture.finish { lines.append($0) }, as: UTF8.self) == "one\ntwo\nthree")
        #expect(lines == ["one", "two", "three"])
    }

    @Test("functions are found in this very program")
    func ownSymbols() throws {
        let file = try #require(readFile("/proc/self/exe"))
        file.withUnsafeBytes { bytes in
            let symbols = ElfSymbols(UnsafeRawBufferPointer(bytes))
            #expect(symbols.functions(at: [.max]).isEmpty)
        }
    }

    @Test("ELF files that lie do no harm")
    func lyingFiles() throws {
        let path = try Dist.plugin("saboteur")
        let honest = try #require(readFile(path))
        let offsets = stride(from: UInt64(0), to: 0x4000, by: 64).map { $0 }
        let found = honest.withUnsafeBytes { ElfSymbols(UnsafeRawBufferPointer($0)).functions(at: offsets) }
        #expect(!found.isEmpty)
        for seed in 1...300 {
            var random = Steps(seed: UInt64(seed))
            var file = honest
            for _ in 0..<8 {
                // Headers and section table, where the offsets are.
                let near = random.next() % 2 == 0 ? Int(random.next() % 64) : file.count - 1 - Int(random.next() % 2500)
                file[near] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 3 == 0 { file.removeLast(Int(random.next() % UInt64(file.count))) }
            file.withUnsafeBytes { _ = ElfSymbols(UnsafeRawBufferPointer($0)).functions(at: offsets) }
        }
    }
}

/// A small generator: the same seed gives the same steps.
private struct Steps {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9e37_79b9_7f4a_7c15
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
