// A script of Tests/Interop, run by the Python that has the stock Celery; it answers one line to each line.
import Foundation
import TestKit

final class PythonScript {
    private let process = Process()
    private let input = Pipe()
    private let output = Pipe()

    /// - Parameter name: a file of Tests/Interop.
    init(_ name: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: try Python.interpreter())
        process.arguments = ["-B", Python.script(name)] + arguments
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
}
