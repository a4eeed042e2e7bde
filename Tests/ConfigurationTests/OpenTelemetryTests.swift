// OpenTelemetry's own variables: what is understood of them, and what is said of the others.
import Foundation
import Settings
import Testing

@testable import Configuration

@Suite("OpenTelemetry's variables")
struct OpenTelemetryTests {
    private func traces(_ environment: [String: String]) throws -> TraceSettings { try build(environment).traces }

    private func build(_ environment: [String: String]) throws -> Configuration {
        // No file: the present folder may have one.
        var settings = SettingsLayer()
        settings.overlay(try EnvironmentReader.read(environment))
        var builder = ConfigurationBuilder(settings: settings, hostName: "h", processors: 1)
        builder.openTelemetry = OpenTelemetryVariables(environment)
        return try builder.build()
    }

    @Test("the address of a collector for everything is taken, with the path for spans; one for spans alone wins")
    func endpoint() throws {
        #expect(try traces(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"]).endpoint == "http://c:4318/v1/traces")
        #expect(try traces(["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/x/"]).endpoint == "http://c:4318/x/v1/traces")
        let both = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://d/t"]
        #expect(try traces(both).endpoint == "http://d/t")
        #expect(try traces([:]).endpoint == nil && traces([:]).notes == [])
    }

    @Test("headers, service name, sampler and the switches are taken")
    func others() throws {
        let configuration = try build([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b,x = y",
            "OTEL_SERVICE_NAME": "shop", "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25", "OTEL_PROPAGATORS": "tracecontext,baggage",
            "OTEL_METRICS_EXPORTER": "otlp",
        ])
        let made = configuration.traces
        #expect(made.headers == ["api-key: a b", "x: y"] && made.notes == [])
        #expect(configuration[Settings.traces.serviceName] == "shop")
        #expect(configuration[Settings.traces.sampleRatio] == 0.25)
        let off = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"]
        #expect(try traces(off).endpoint == nil && traces(off).notes == [])
        let ours = off.merging(["TASKHOST_TRACES": "http://own/v1/traces"]) { $1 }
        #expect(try traces(ours).endpoint == "http://own/v1/traces")
    }

    @Test("keys for one collector are not sent to another, and no header breaks the line")
    func keys() throws {
        let headers = ["OTEL_EXPORTER_OTLP_HEADERS": "api-key=secret"]
        #expect(try traces(headers.merging(["TASKHOST_TRACES": "http://own/v1/traces"]) { $1 }).headers == [])
        let broken = try traces([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_HEADERS": "a=b%0d%0ac: d,e=f,g",
        ])
        #expect(broken.headers == ["e: f"] && broken.notes.count == 1)
    }

    @Test("what is set and has no effect is named, and never keeps a worker from its start")
    func named() throws {
        let others = [
            ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"],
            ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"], ["OTEL_EXPORTER_OTLP_ENDPOINT": "c:4318"],
        ]
        for environment in others {
            let made = try traces(environment)
            #expect(made.endpoint == nil && made.notes.count == 1, "\(environment)")
            #expect(made.notes.first?.contains("TASKHOST_TRACES") == true)
        }
        let more = try traces([
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_PROPAGATORS": "b3", "OTEL_TRACES_SAMPLER": "jaeger",
        ])
        #expect(more.notes.contains { $0.contains("OTEL_PROPAGATORS") })
        #expect(more.notes.contains { $0.contains("jaeger") })
        #expect(try traces(["OTEL_PROPAGATORS": "b3"]).notes == [])
    }
}
