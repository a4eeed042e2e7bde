// `[routes."PATTERN"]`: where what follows a task is sent.
import Canvas
import Output
import Settings

extension ConfigurationBuilder {
    /// Longer patterns first: what says more is meant more.
    func routes() throws(CommandFailure) -> [Routes.Rule] {
        var rules: [Routes.Rule] = []
        for pattern in settings.names(under: "routes").sorted(by: { $0.utf8.count > $1.utf8.count }) {
            rules.append(Routes.Rule(pattern: pattern, target: try target(of: pattern)))
        }
        return rules
    }

    private func target(of pattern: String) throws(CommandFailure) -> CanvasCall.Target {
        let keys = Settings.routes
        switch (
            settings[keys.queue, of: pattern], settings[keys.exchange, of: pattern],
            settings[keys.routingKey, of: pattern]
        ) {
        case (let queue?, nil, nil): return .queue(queue)
        case (nil, let exchange?, let key): return .exchange(exchange, routingKey: key ?? "")
        default:
            throw .configuration(
                "[routes.\"\(pattern)\"] says too little or too much",
                fix: "name a queue, or an exchange and a routing_key")
        }
    }
}
