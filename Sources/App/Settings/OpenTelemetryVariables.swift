// The variables that OpenTelemetry's programs share: those we understand are settings, the others are named in the log.

public struct OpenTelemetryVariables {
    private let environment: [String: String]

    public init(_ environment: [String: String]) {
        // An empty variable counts as unset.
        self.environment = environment.filter { $0.key.hasPrefix("OTEL_") && !$0.value.isEmpty }
    }

    /// What the environment gives beyond the variables that `Settings` lists.
    public func fill(_ layer: inout SettingsLayer) {
        let endpoint = Settings.traces.endpoint
        if isOff {
            // Said to all programs of this place; an address that is for us alone wins all the same.
            if Self.isOurs(layer.sourced(endpoint)) { layer.unset(endpoint.setting.path) }
            return
        }
        if layer.sourced(endpoint) == nil, case .usable(let address) = base {
            layer.set(endpoint, .text(address), origin: Self.baseName)
        }
        if layer.sourced(Settings.traces.sampleRatio) == nil, let ratio {
            layer.set(Settings.traces.sampleRatio, .number(ratio), origin: "OTEL_TRACES_SAMPLER")
        }
    }

    /// - Parameter endpoint: where spans go. Keys are sent only to an address that stands beside them.
    public func headers(for endpoint: SourcedValue?) -> [String] {
        guard Self.isOurs(endpoint) else { return [] }
        return listedHeaders.compactMap { $0 }
    }

    private static func isOurs(_ endpoint: SourcedValue?) -> Bool { endpoint?.origin.hasPrefix("OTEL_") ?? false }

    // ---- what each of them means ----

    private static let baseName = "OTEL_EXPORTER_OTLP_ENDPOINT"

    private enum Base {
        case unset
        case usable(String)
        /// Why it is none of ours.
        case other(String)
    }

    /// The collector for everything.
    private var base: Base {
        guard let text = environment[Self.baseName] else { return .unset }
        let scheme = text.prefix { $0 != ":" }.lowercased()
        if let transport, !transport.hasPrefix("http/") { return .other("the protocol \(transport) is not spoken") }
        guard ["http", "https"].contains(scheme), text.dropFirst(scheme.count).hasPrefix("://") else {
            return .other("it does not begin with http:// or https://")
        }
        let trimmed = text.hasSuffix("/") ? String(text.dropLast()) : text
        // Programs whose own default is gRPC are given this port without a word about the protocol.
        if transport == nil, trimmed.hasSuffix(":4317") { return .other("4317 is the port of OTLP over gRPC") }
        return .usable(trimmed + "/v1/traces")
    }

    private var isOff: Bool {
        environment["OTEL_SDK_DISABLED"]?.lowercased() == "true" || environment["OTEL_TRACES_EXPORTER"] == "none"
    }

    /// Collectors that take protobuf over HTTP take JSON as well.
    private var transport: String? {
        environment["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ?? environment["OTEL_EXPORTER_OTLP_PROTOCOL"]
    }

    /// Of the samplers there are: those whose answer is a part of the runs.
    private var ratio: Double? {
        switch environment["OTEL_TRACES_SAMPLER"] {
        case "always_on", "parentbased_always_on": 1
        case "always_off", "parentbased_always_off": 0
        case "traceidratio", "parentbased_traceidratio":
            Double(environment["OTEL_TRACES_SAMPLER_ARG"] ?? "1").flatMap { (0...1).contains($0) ? $0 : nil }
        default: nil
        }
    }

    /// "Name: value" of each; nil: one that is no header. They are percent-encoded, `name=value,name=value`.
    private var listedHeaders: [String?] {
        let text = environment["OTEL_EXPORTER_OTLP_TRACES_HEADERS"] ?? environment["OTEL_EXPORTER_OTLP_HEADERS"] ?? ""
        return text.split(separator: ",").filter { !String($0).trimmed.isEmpty }.map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard parts.count == 2, !parts[0].isEmpty, !parts[0].contains(":") else { return nil }
            let header = "\(parts[0]): \(Self.decoded(parts[1]) ?? parts[1])"
            return header.utf8.contains { $0 < 0x20 || $0 == 0x7F } ? nil : header
        }
    }

    /// Without percent-encoding; nil: it is broken, or of no UTF-8.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    // ---- what has no effect ----

    /// Sentences for the log.
    /// - Parameter endpoint: where spans go; nil: nowhere.
    public func notes(endpoint: SourcedValue?) -> [String] {
        guard !isOff || endpoint != nil else { return [] }
        var notes: [String] = []
        if endpoint == nil, case .other(let reason) = base {
            notes.append(
                """
                no spans are sent by \(Self.baseName): \(reason); name the collector's HTTP port with \
                TASKHOST_TRACES (http://HOST:4318/v1/traces)
                """)
        }
        guard endpoint != nil else { return notes }
        if let sampler = environment["OTEL_TRACES_SAMPLER"], ratio == nil {
            notes.append("OTEL_TRACES_SAMPLER=\(sampler) is not understood; [traces] sample_ratio holds")
        }
        if Self.isOurs(endpoint), listedHeaders.contains(where: { $0 == nil }) {
            notes.append("one of OpenTelemetry's variables for headers has a part that is no name=value")
        }
        let others = environment.keys.filter { !isUnderstood($0) }.sorted()
        if !others.isEmpty { notes.append("without effect here: \(others.joined(separator: ", "))") }
        return notes
    }

    private static let understood: Set<String> = [
        "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_SERVICE_NAME", "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER",
        "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG", "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    ]

    /// Or of metrics, logs or one language: none of these asks us for spans.
    private func isUnderstood(_ name: String) -> Bool {
        if name == "OTEL_PROPAGATORS" {
            let named = (environment[name] ?? "").split(separator: ",").map { String($0).trimmed }
            return named.allSatisfy { ["tracecontext", "baggage"].contains($0) }
        }
        let parts = name.split(separator: "_").dropFirst()
        let foreign: Set<Substring> = ["METRIC", "METRICS", "LOG", "LOGS", "LOGRECORD", "BLRP", "PYTHON", "GO", "JAVA"]
        return Self.understood.contains(name) || parts.contains { foreign.contains($0) }
    }
}
