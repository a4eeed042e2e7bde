package import Configuration
import Linux
import Loop
import Output
import Ports
import Runner
import Settings
package import TaskModel

/// What the bundles in the plugins folders say of themselves, for commands that run none of their tasks.
package enum BundleLook {
    /// A folder that was not named may be missing; a bundle that is refused is reported, and left out.
    package static func manifests(_ configuration: Configuration, environment: [String: String]) throws
        -> [BundleManifest]
    {
        let installation = try Installation(environment: environment)
        let folders = installation.pluginFolders(configuration)
        if configuration[Settings.worker.plugins] == nil, folders.allSatisfy({ !Files.exists($0) }) {
            return []
        }
        let loop = try EpollLoop()
        let inspector = try BundleInspector(
            loop: loop,
            options: configuration.runnerOptions(
                runnerPath: try installation.runnerPath(), folders: folders, environment: environment)
        ) { level, line in
            if level >= .warning { Console.note("taskhost: \(line)") }
        }
        var reports: [BundleReport] = []
        inspector.inspect(try PluginCheck.bundles(in: folders, by: inspector)) {
            reports = $0
            loop.stop()
        }
        loop.run()
        for report in reports {
            if case .refused(let sentence) = report.status { Console.note("taskhost: not used: \(sentence)") }
        }
        return reports.compactMap(\.manifest)
    }
}
