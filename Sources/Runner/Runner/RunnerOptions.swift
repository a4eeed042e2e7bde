// What the operator decides about running tasks.
public import TaskModel

/// A bundle that lies in no plugins folder, with more of the environment and more time than others.
public struct NamedBundle: Sendable, Equatable {
    public var path: String
    /// All that it sees, beside what zygotes need.
    public var environment: [String: String]
    /// Seconds it may take to load and register.
    public var loadTimeoutSeconds: Double

    public init(path: String, environment: [String: String], loadTimeoutSeconds: Double) {
        self.path = path
        self.environment = environment
        self.loadTimeoutSeconds = loadTimeoutSeconds
    }
}

/// Settings of a `RunnerPool` or a `BundleInspector`.
public struct RunnerOptions: Sendable {
    /// The taskhost-runner executable.
    public var runnerPath: String
    /// Folders whose `*.so` files are bundles.
    public var pluginFolders: [String]
    /// Bundles that are looked at before those of the folders, and loaded anew at each `rescan`.
    public var bundles: [NamedBundle] = []
    /// Tasks that run at the same time; ≥ 1.
    public var slots: Int
    /// Children kept ready per bundle while it is idle; ≥ 0. Under load there may be as many as slots.
    public var spares: Int
    /// Environment variables that bundles shall see besides PATH, HOME, LANG and TZ.
    public var environment: [String: String]
    /// Seconds a bundle may take to load and register.
    public var loadTimeoutSeconds: Double
    /// This process starts no other children, so each unknown one is a leftover of a task: kill it.
    /// False: only those that can be recognised by their session or environment.
    public var ownsAllChildren: Bool
    /// A kept child that has had more resident ends after its task; nil: no matter.
    public var maxResidentKiB: UInt32?
    /// What zygotes and children are kept from.
    public var confinement = Confinement.none
    /// Bundles are loaded from any user; otherwise only from root and our own.
    public var trustsAnybody = false
    /// What new versions have to go through.
    public var trials = TrialOptions()
    /// What else speaks against a bundle that has loaded: the rest of a sentence that begins with its path.
    public var objection: @Sendable (BundleManifest) -> String? = { _ in nil }

    public init(
        runnerPath: String, pluginFolders: [String], slots: Int, spares: Int = 2, environment: [String: String] = [:],
        loadTimeoutSeconds: Double = 10, ownsAllChildren: Bool = false, maxResidentKiB: UInt32? = nil
    ) {
        self.runnerPath = runnerPath
        self.pluginFolders = pluginFolders
        self.slots = max(1, slots)
        self.spares = max(0, spares)
        self.environment = environment
        self.loadTimeoutSeconds = loadTimeoutSeconds
        self.ownsAllChildren = ownsAllChildren
        self.maxResidentKiB = maxResidentKiB
    }
}

extension RunnerOptions {
    /// As they hold for one bundle.
    func options(of path: String) -> RunnerOptions {
        guard let bundle = bundles.first(where: { $0.path == path }) else { return self }
        var made = self
        made.environment = bundle.environment
        made.loadTimeoutSeconds = bundle.loadTimeoutSeconds
        return made
    }
}

/// A line for the operator. Levels as in the runner: 0 debug, 1 info, 2 warning, 3 error.
public typealias RunnerLog = (_ level: LogLevel, _ line: String) -> Void

/// Our own machinery failed; the text names the fix where there is one.
public struct RunnerFailure: Error, Sendable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) {
        self.description = description
    }
}
