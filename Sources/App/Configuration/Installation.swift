import Glibc
package import Output
import Settings

/// Where the parts of this installation are, seen from our own executable.
package struct Installation: Sendable {
    /// The folder that holds bin/.
    let root: String
    private let runnerOverride: String?

    package init(environment: [String: String]) throws(CommandFailure) {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard length > 0 else {
            throw .configuration("/proc is not mounted, and without it no task can run", fix: "mount /proc")
        }
        let executable = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        self.init(
            root: Self.parent(Self.parent(executable)),
            runnerOverride: environment["TASKHOST_RUNNER"].flatMap { $0.isEmpty ? nil : $0 })
    }

    package init(root: String, runnerOverride: String?) {
        self.root = root
        self.runnerOverride = runnerOverride
    }

    /// Of a package: its own bundles are among its libraries, this machine's in /usr/local.
    package var defaultPluginFolders: [String] {
        guard root == "/usr" else { return [root + "/plugins"] }
        let own = "/usr/local/lib/taskhost/plugins"
        return ["/usr/lib/taskhost/plugins"] + (access(own, R_OK) == 0 ? [own] : [])
    }

    /// The bundle that runs tasks of Celery apps; in no plugins folder, as it is of no use without an app.
    package var pythonBundle: String { root + "/lib/taskhost/python.so" }

    package var pythonPackage: String { root + "/share/taskhost/python" }

    /// Where bundles are looked for. Beside an app only in folders that are named: what else is installed may have
    /// tasks of the same names.
    package func pluginFolders(_ configuration: Configuration) -> [String] {
        configuration[Settings.worker.plugins] ?? (configuration.python == nil ? defaultPluginFolders : [])
    }

    /// This program.
    package var program: String { root + "/bin/taskhost" }

    package var sdk: String { root + "/share/taskhost/sdk" }

    package func runnerPath() throws(CommandFailure) -> String {
        let path = runnerOverride ?? root + "/libexec/taskhost/taskhost-runner"
        guard access(path, X_OK) == 0 else {
            throw .configuration(
                "the runner \(path) is not there or not executable",
                fix: "install the whole tree (make install PREFIX=…), or name it in TASKHOST_RUNNER")
        }
        return path
    }

    private static func parent(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
