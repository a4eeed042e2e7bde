// `[python]`: the Celery app whose tasks and settings a worker takes.

public struct PythonKeys: SettingsSection {
    public let app = Key<String?>(
        "python.app", .text, environment: ["CELERY_APP"], default: nil,
        "a Celery app, as `-A` of Celery's own command has it: `proj`, `proj.celery`, `proj:app`")
    public let executable = Key<String?>(
        "python.executable", .text, environment: ["TASKHOST_PYTHON"], default: nil,
        shown: "of the active virtual environment, else python3",
        "interpreter to import it with")
    public let folder = Key<String?>(
        "python.folder", .text, default: nil, shown: "the worker's",
        "folder to import it from")
    public let importTimeout = Key<Double>(
        "python.import_timeout", .seconds(1...3600), environment: ["TASKHOST_IMPORT_TIMEOUT"], default: 60,
        "seconds that the app may take to be imported")
}
