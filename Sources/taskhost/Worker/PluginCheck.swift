import Foundation
import Glibc

/// Looks at the plugins folders before anything is started, so that a mistake there is told at once, with its fix.
enum PluginCheck {
    /// - Parameter sdk: where this installation keeps the SDK, for the hint.
    static func check(_ folders: [String], sdk: String) throws(CommandFailure) {
        var found = 0
        for folder in folders {
            try checkSafety(folder)
            found += try bundles(in: folder).count
        }
        guard found > 0 else {
            throw .configuration(
                "no bundles found; looked for *.so in \(folders.joined(separator: ", "))",
                fix: "name the folder with --plugins, or build a bundle: cc -shared -fPIC -I\(sdk)/include "
                    + "-o \(folders[0])/mine.so mine.c (see \(sdk)/README.md)")
        }
    }

    /// The *.so files, sorted; names that begin with a dot are somebody's unfinished copies.
    static func bundles(in folder: String) throws(CommandFailure) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder)
                .filter { $0.hasSuffix(".so") && !$0.hasPrefix(".") }.sorted().map { "\(folder)/\($0)" }
        } catch {
            throw .configuration(
                "cannot read the plugins folder \(folder): \(error.localizedDescription)",
                fix: "make it readable for this user, or name another with --plugins")
        }
    }

    /// Who may write there runs code as us.
    private static func checkSafety(_ folder: String) throws(CommandFailure) {
        var info = stat()
        guard stat(folder, &info) == 0 else {
            throw .configuration(
                "the plugins folder \(folder) is not there: \(String(cString: strerror(errno)))",
                fix: "create it and put bundles (*.so) in, or name another with --plugins")
        }
        guard info.st_mode & S_IFMT == S_IFDIR else {
            throw .configuration("\(folder) is no folder", fix: "name the folder that holds the bundles")
        }
        if info.st_mode & S_IWOTH != 0 {
            throw .configuration(
                "the plugins folder \(folder) is writable by others: whoever writes there runs code as this worker",
                fix: "chmod o-w \(folder)")
        }
    }
}
