// Other programs that tests run: to their end, with what they wrote; the Python that has the stock Celery.
import Foundation

package enum Program {
    /// - Parameters:
    ///   - name: a path, or a program of PATH.
    ///   - withErrors: what it writes to standard error, too; otherwise that goes where ours goes.
    /// - Returns: all it wrote, and its exit status.
    package static func run(
        _ name: String, _ arguments: [String] = [], withErrors: Bool = true
    ) throws -> (output: String, status: Int32) {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.standardOutput = pipe
        if withErrors { process.standardError = pipe }
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: output, as: UTF8.self), process.terminationStatus)
    }

    package struct Failed: Error, CustomStringConvertible {
        package let description: String
    }
}

package enum Python {
    /// `Tests`, wherever the checkout is.
    private static let tests = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Of the journeys' environment, which is made if it is not there yet.
    package static func interpreter() throws -> String {
        let (path, status) = try Program.run(tests.appendingPathComponent("Support/venv").path, withErrors: false)
        guard status == 0 else { throw Program.Failed(description: "no Python environment: status \(status)") }
        return path.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// A file of Tests/Interop.
    package static func script(_ name: String) -> String { tests.appendingPathComponent("Interop/\(name)").path }
}
