// A script of Tests/Interop, run by the Python that has the stock Celery; it answers one line to each line.
import Foundation

final class PythonScript {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    /// - Parameter name: a file of Tests/Interop.
    init(_ name: String, _ arguments: [String]) throws {
        let tests = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent()
        process.executableURL = URL(fileURLWithPath: try Self.interpreter(tests))
        process.arguments = ["-B", tests.appendingPathComponent("Interop/\(name)").path] + arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    func ask(_ word: String) throws -> String {
        try input.fileHandleForWriting.write(contentsOf: Data("\(word)\n".utf8))
        var line = Data()
        while let byte = try output.fileHandleForReading.read(upToCount: 1), byte.count == 1 {
            if byte[byte.startIndex] == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
            line.append(byte)
        }
        throw TooLate(what: "\(word): the script has ended")
    }

    func end() throws {
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// Makes the environment of the journeys if it is not there yet.
    private static func interpreter(_ tests: URL) throws -> String {
        let script = Process()
        let pipe = Pipe()
        script.executableURL = tests.appendingPathComponent("Support/venv")
        script.standardOutput = pipe
        try script.run()
        let path = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        script.waitUntilExit()
        guard script.terminationStatus == 0 else { throw TooLate(what: "the Python environment") }
        return path.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
