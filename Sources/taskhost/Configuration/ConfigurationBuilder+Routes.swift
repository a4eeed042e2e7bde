// `[routes."PATTERN"]`: where what follows a task is sent.
import Canvas

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
        func text(_ key: String) -> String? {
            if case .text(let text)? = settings[["routes", pattern, key]]?.value { text } else { nil }
        }
        switch (text("queue"), text("exchange"), text("routing_key")) {
        case (let queue?, nil, nil): return .queue(queue)
        case (nil, let exchange?, let key): return .exchange(exchange, routingKey: key ?? "")
        default:
            throw .configuration(
                "[routes.\"\(pattern)\"] says too little or too much",
                fix: "name a queue, or an exchange and a routing_key")
        }
    }
}
