// A Celery app: what it says of itself, and what the processes of its tasks are told.
package import Output
package import Settings
import TaskModel

package struct PythonApp: Sendable, Equatable {
    /// Tasks that share a child unless somebody says otherwise: decision 13.
    private static let keep = 1000
    /// Names the descriptor by which the process that imports it tells what it is, and hears what was decided.
    package static let talkVariable = "TASKHOST_PYTHON_TALK"

    /// What becomes of a setting that the app makes.
    package struct CelerySetting: Sendable, Equatable {
        /// As the app has it: `broker_url`, or `CELERY_BROKER_URL`.
        package var name: String
        /// For people, without secrets.
        package var value: String
        /// "honoured", "in Python", "no meaning", "not honoured": the words of settings_table.py.
        package var verdict: String
        package var why: String

        package var isHonoured: Bool { verdict != "not honoured" }
    }

    /// A signal of Celery's that the app waits for, and that is not sent here.
    package struct UnsentSignal: Sendable, Equatable {
        package var name: String
        package var receiver: String
        package var instead: String
    }

    /// As -A has it.
    package var name: String
    package var taskCount = 0
    /// "3.11.2"
    package var python = ""
    package var celery = ""
    /// The interpreter: that of the virtual environment, not what it is a link to.
    package var executable: String
    /// Its libpython.
    package var library = ""
    /// Where the app is imported from.
    package var folder: String
    /// share/taskhost/python of this installation.
    package var package: String
    /// python.so of this installation.
    package var bundle: String
    package var importSeconds: Double
    /// Its configuration as settings of ours.
    package var settings = SettingsLayer()
    /// Its tasks write results themselves, with its own backend: there is no store of ours for it.
    package var storesResults = false
    package var celerySettings: [CelerySetting] = []
    package var unsent: [UnsentSignal] = []

    package var notHonoured: [CelerySetting] { celerySettings.filter { !$0.isHonoured } }

    /// What the process sees that imports it: an app reads what it likes.
    /// - Parameter environment: ours.
    package func environment(_ environment: [String: String]) -> [String: String] {
        var made = environment
        made["TASKHOST_PYTHON_APP"] = name
        made["TASKHOST_PYTHON_LIBRARY"] = library
        made["TASKHOST_PYTHON_EXECUTABLE"] = executable
        made["TASKHOST_PYTHON_PATH"] = "\(folder):\(package)"
        made["TASKHOST_PYTHON_WORKDIR"] = folder
        made["TASKHOST_PYTHON_IMPORT_SECONDS"] = importSeconds.plain
        return made
    }

    /// What the processes of its tasks see.
    /// - Parameters:
    ///   - environment: ours.
    ///   - nodeName: of the worker.
    ///   - logLevel: "info"; less is not worth being sent.
    ///   - keep: what the operator says of how many tasks share a child.
    package func environment(
        _ environment: [String: String], nodeName: String, logLevel: String, keep: Int?
    ) -> [String: String] {
        var made = self.environment(environment)
        made["TASKHOST_PYTHON_HOSTNAME"] = nodeName
        made["TASKHOST_PYTHON_LOG_LEVEL"] = logLevel.uppercased()
        made["TASKHOST_PYTHON_KEEP"] = String(keep ?? Self.keep)
        if storesResults { made["TASKHOST_PYTHON_RESULTS"] = "app" }
        return made
    }

    /// What is still to be known is asked in a process of its own.
    package init(
        name: String, executable: String, folder: String, package: String, bundle: String, importSeconds: Double
    ) {
        self.name = name
        self.executable = executable
        self.folder = folder
        self.package = package
        self.bundle = bundle
        self.importSeconds = importSeconds
    }
}

extension CommandFailure {
    /// - Parameter details: Python's own words.
    static func noApp(_ message: String, fix: String?, details: String? = nil) -> CommandFailure {
        let details = details.map { text in
            text.split(separator: "\n").map { "\n  | " + $0 }.joined()
        }
        return CommandFailure(.noApp, message + (details ?? ""), fix: fix)
    }
}
