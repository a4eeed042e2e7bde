import ArgumentParser
struct BundlesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bundles", abstract: "x")
}
