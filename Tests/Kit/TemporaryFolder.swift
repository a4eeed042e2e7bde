// A folder of a test's own.
import Foundation

/// Removed with the object.
package final class TemporaryFolder {
    package let path: String

    /// - Parameter files: their contents by their paths in it; folders between are made.
    package init(_ files: [String: String] = [:]) throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("taskhost-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        for (name, text) in files {
            let file = URL(fileURLWithPath: path).appendingPathComponent(name)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try text.write(to: file, atomically: true, encoding: .utf8)
        }
    }

    /// One for the time of `body`, which gets its path.
    package static func with<Result>(
        _ files: [String: String] = [:], _ body: (String) throws -> Result
    ) throws -> Result {
        let folder = try TemporaryFolder(files)
        return try withExtendedLifetime(folder) { try body(folder.path) }
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            print("left behind: \(path) (\(error))")
        }
    }
}
