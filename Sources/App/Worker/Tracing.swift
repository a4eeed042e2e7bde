// Spans of runs: recorded by an observer of the engine, exported in the background.
import Configuration
import Dispatch
import Engine
import Logging
import Output
import Ports
import Settings
import TaskModel
import Traces
import Transports

struct Tracing {
    let exporter: SpanExporter

    private static let closeSeconds = 3

    /// nil: no spans are exported.
    init?(_ configuration: Configuration, engine: Engine, log: Logger) throws(CommandFailure) {
        for note in configuration.traces.notes { log.warning("traces: \(note)") }
        guard let endpoint = configuration.traces.endpoint else { return nil }
        guard
            let collector = TraceCollector(
                endpoint: endpoint, shown: ConnectionURL.redacted(endpoint), headers: configuration.traces.headers,
                agent: "taskhost/\(ProgramVersion.text)")
        else { throw CommandFailure(.failure, "libcurl cannot be set up, so no spans can be sent") }
        exporter = SpanExporter(
            to: collector,
            service: TracedService(
                name: configuration[Settings.traces.serviceName], version: ProgramVersion.text,
                instance: configuration.nodeName)
        ) { log.log(level: .init($0), "traces: \($1)") }
        engine.add(observer: SpanRecorder(system: configuration.broker.system.name, exporter: exporter))
    }

    /// Waits a little for what is not delivered yet.
    func close() {
        let isDone = DispatchSemaphore(value: 0)
        exporter.close { isDone.signal() }
        _ = isDone.wait(timeout: .now() + .seconds(Self.closeSeconds))
    }
}
