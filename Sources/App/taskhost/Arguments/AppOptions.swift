import ArgumentParser
import Glibc
import Output
import Settings

/// Which Celery app is meant; the names are Celery's.
struct AppOptions: ParsableArguments {
    @Option(
        name: [.customShort("A"), .long],
        help: ArgumentHelp(
            "Celery app of Python's: its settings are below all others, a worker runs its tasks. As Celery's -A: proj, "
                + "proj.celery, proj:app.", valueName: "module"))
    var app: String?

    @Option(
        help: ArgumentHelp(
            "Interpreter to import it with. Default: of the active virtual environment, else python3.",
            valueName: "path"))
    var python: String?

    @Option(help: ArgumentHelp("Go to this folder first.", valueName: "folder"))
    var workdir: String?

    func flags() -> SettingsLayer {
        var layer = SettingsLayer()
        if let app { layer.set(Settings.python.app, .text(app), origin: "--app") }
        if let python { layer.set(Settings.python.executable, .text(python), origin: "--python") }
        return layer
    }

    /// Before anything is read: other paths are seen from there, as with Celery's command.
    func enterFolder() throws(CommandFailure) {
        guard let workdir, chdir(workdir) != 0 else { return }
        throw .configuration(
            "--workdir \(workdir): \(String(cString: strerror(errno)))", fix: "name a folder that is there")
    }
}
