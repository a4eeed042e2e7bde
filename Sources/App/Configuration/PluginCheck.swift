package import Output
package import Ports
package import Runner

/// Looks at the plugins folders before anything is started, so that a mistake there is reported at once, with its fix.
package enum PluginCheck {
    /// The bundles that are named and those of all folders, as the worker will see them.
    package static func bundles(
        in folders: [String], named: [NamedBundle] = [], by inspector: BundleInspector
    ) throws(CommandFailure) -> [String] {
        var found = named.map(\.path)
        for folder in folders {
            switch inspector.bundles(in: folder) {
            case .success(let paths): found += paths
            case .failure(let failure): throw .configuration(failure.description)
            }
        }
        return found
    }

    /// For a worker that could run nothing.
    package static func allRefused(_ bundles: [BundleReport]) -> CommandFailure {
        let reasons = bundles.compactMap { bundle in
            if case .refused(let reason) = bundle.status { "\n  \(reason)" } else { nil }
        }
        return CommandFailure(
            .noBundle, "none of the bundles could be loaded; no message was taken:\(reasons.joined())",
            fix: "put one of them right, `taskhost bundles FILE` shows whether it loads; or name another folder with "
                + "--plugins")
    }

    /// - Parameter sdk: where this installation keeps the SDK, for the hint.
    package static func noBundles(in folders: [String], sdk: String) -> CommandFailure {
        .configuration(
            "no bundles found; looked for *.so in \(folders.joined(separator: ", "))",
            fix: "name the folder with --plugins, or build a bundle: cc -shared -fPIC -I\(sdk)/include "
                + "-o \(folders.first ?? ".")/mine.so mine.c (see \(sdk)/README.md)")
    }
}
