// Spans of runs: recorded by an observer of the engine, exported in the background.
import Dispatch
import Engine
import Logging
import Traces

struct Tracing {
    let exporter: SpanExporter

    private static let closeSeconds = 3

    /// nil: nobody wants spans.
    init?(_ configuration: Configuration, engine: Engine, log: Logger) throws(CommandFailure) {
        guard let endpoint = configuration.traces.endpoint else { return nil }
        guard
            let collector = TraceCollector(
                endpoint: endpoint, headers: configuration.traces.headers, agent: "taskhost/\(TaskhostCommand.version)")
        else { throw CommandFailure(.failure, "libcurl cannot be set up, so no spans can be sent") }
        exporter = SpanExporter(
            to: collector,
            service: TracedService(
                name: configuration.traces.serviceName, version: TaskhostCommand.version,
                instance: configuration.nodeName)
        ) { log.log(level: .init(number: $0), "traces: \($1)") }
        engine.add(observer: SpanRecorder(system: Self.system(configuration.broker), exporter: exporter))
    }

    /// Waits a little for what is not delivered yet.
    func close() {
        let isDone = DispatchSemaphore(value: 0)
        exporter.close { isDone.signal() }
        _ = isDone.wait(timeout: .now() + .seconds(Self.closeSeconds))
    }

    private static func system(_ broker: BrokerAddress) -> String {
        switch broker {
        case .amqp: "rabbitmq"
        case .redis: "redis"
        case .embedded: "sqlite"
        }
    }
}
