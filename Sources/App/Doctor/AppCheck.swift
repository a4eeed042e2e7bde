// What becomes of the settings that a Celery app makes. Pure.
import Ports
import PythonApp

enum AppCheck {
    static func findings(_ app: PythonApp) -> [Finding] {
        var made: [Finding] = [
            .ok(
                "app",
                "\(app.name): \(app.taskCount) tasks, Python \(app.python) of \(app.executable), Celery \(app.celery)")
        ]
        for one in app.celerySettings {
            let subject = "app's \(one.name)"
            let text = "\(one.value): \(one.verdict)\(one.why.isEmpty ? "" : ": \(one.why)")"
            switch one.verdict {
            case "not honoured":
                made.append(
                    .warn(
                        subject, text,
                        fix: "see docs/python.md for what to write here instead; what is set here wins over the app"))
            case "honoured": made.append(.ok(subject, text))
            default: made.append(.note(subject, text))
            }
        }
        for one in app.unsent {
            made.append(
                .warn(
                    "app's signal \(one.name)", "\(one.receiver) waits for it, and it is not sent", fix: one.instead))
        }
        return made
    }
}
