import Foundation
import Loop
import Ports
import Runner
import TaskModel

/// What the bundles in the plugins folders say of themselves, for commands that run none of their tasks.
enum BundleLook {
    /// A folder that was not named may be missing; a bundle that is refused is told of, and left out.
    static func manifests(_ configuration: Configuration, environment: [String: String]) throws -> [BundleManifest] {
        let installation = try Installation(environment: environment)
        let folders = configuration.plugins ?? [installation.pluginFolder]
        if configuration.plugins == nil, !FileManager.default.fileExists(atPath: folders[0]) { return [] }
        let loop = try EpollLoop()
        let inspector = try BundleInspector(
            loop: loop,
            options: configuration.runnerOptions(
                runnerPath: try installation.runnerPath(), folders: folders, environment: environment)
        ) { level, line in
            if level >= 2 { Console.remark("taskhost: \(line)") }
        }
        var reports: [BundleReport] = []
        inspector.inspect(try PluginCheck.bundles(in: folders, by: inspector)) {
            reports = $0
            loop.stop()
        }
        loop.run()
        for report in reports {
            if case .refused(let sentence) = report.status { Console.remark("taskhost: not used: \(sentence)") }
        }
        return reports.compactMap(\.manifest)
    }
}
