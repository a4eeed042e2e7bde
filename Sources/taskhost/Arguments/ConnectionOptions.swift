import ArgumentParser
import Foundation

/// Options every command takes: where broker, results and settings are.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Broker: amqp(s)://, redis(s):// or sqlite: address. Default: an embedded one in your state directory.",
            valueName: "url"))
    var broker: String?

    @Option(
        help: ArgumentHelp(
            "Results: rpc://, redis(s)://, sqlite: address, or none. Default: rpc:// with an AMQP broker, "
                + "else where the broker is.",
            valueName: "url"))
    var resultBackend: String?

    @Option(help: ArgumentHelp("Settings file. Default: the first taskhost.toml found.", valueName: "file"))
    var config: String?

    func flags() -> SettingsLayer {
        var layer = SettingsLayer()
        if let broker { layer.set("broker.url", .text(broker), origin: "--broker") }
        if let resultBackend { layer.set("results.url", .text(resultBackend), origin: "--result-backend") }
        return layer
    }

    /// The configuration with `more` flags of the command on top.
    func configuration(_ more: SettingsLayer = SettingsLayer()) throws(CommandFailure) -> Configuration {
        try settings(more).build()
    }

    func settings(_ more: SettingsLayer = SettingsLayer()) throws(CommandFailure) -> ConfigurationBuilder {
        var layer = flags()
        layer.overlay(more)
        return try ConfigurationBuilder(
            flags: layer, file: config, environment: ProcessInfo.processInfo.environment)
    }
}
