// "5%", "images:20%": what part of their runs new versions of bundles get first.
import Output
import Runner
import Settings

extension TrialOptions {
    init(_ settings: SettingsLayer) throws(CommandFailure) {
        self.init()
        seconds = settings[Settings.worker.trial]
        for text in settings[Settings.worker.canary] {
            let parts = text.split(separator: ":", maxSplits: 1).map { String($0).trimmed }
            guard let last = parts.last, last.hasSuffix("%"), let percent = Double(String(last.dropLast()).trimmed),
                percent > 0, percent <= 100
            else {
                throw .configuration(
                    "\(settings.origin(Settings.worker.canary)): \"\(text)\" is no part of runs",
                    fix: "write \"5%\", or \"NAME:5%\" for the bundle of that name; above 0% and up to 100%")
            }
            if parts.count == 2 { shares[parts[0]] = percent / 100 } else { share = percent / 100 }
        }
        guard seconds == 0, !settings[Settings.worker.canary].isEmpty else { return }
        throw .configuration(
            "\(settings.origin(Settings.worker.canary)): there is no canary without a trial, and trial is 0",
            fix: "leave out one of them; trial = 300 watches a new version for five minutes")
    }
}
