import ArgumentParser
import Configuration
import Linux
import Output
import Ports
import Settings
import Transports

/// Options every command takes: where broker, results and settings are.
struct ConnectionOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp(
            "Broker: \(Transports.list(Transports.brokers.map { $0.shortForm })) address. "
                + "Default: an embedded one in your state directory.",
            valueName: "url"))
    var broker: String?

    @Option(
        help: ArgumentHelp(
            "Results: \(Self.results.joined(separator: ", ")) address, or none. Default: rpc:// with an AMQP broker, "
                + "else where the broker is.",
            valueName: "url"))
    var resultBackend: String?

    @Option(help: ArgumentHelp("Settings file. Default: the first taskhost.toml found.", valueName: "file"))
    var config: String?

    @OptionGroup(title: "App") var app: AppOptions

    private static var results: [String] {
        Transports.direct.map { $0.directScheme + "://" } + Transports.stores.map { $0.shortForm }
    }

    func flags() -> SettingsLayer {
        var layer = app.flags()
        if let broker { layer.set(Settings.broker.url, .text(broker), origin: "--broker") }
        if let resultBackend { layer.set(Settings.results.url, .text(resultBackend), origin: "--result-backend") }
        return layer
    }

    /// The configuration with `more` flags of the command on top.
    func configuration(_ more: SettingsLayer = SettingsLayer()) throws(CommandFailure) -> Configuration {
        try settings(more).build()
    }

    /// - Parameter startsZygote: for a worker, which goes on with the process that has imported the app.
    func settings(
        _ more: SettingsLayer = SettingsLayer(), startsZygote: Bool = false
    ) throws(CommandFailure) -> ConfigurationBuilder {
        try app.enterFolder()
        var layer = flags()
        layer.overlay(more)
        return try ConfigurationBuilder(
            flags: layer, file: config, environment: ThisProcess.environment, startsZygote: startsZygote)
    }
}
