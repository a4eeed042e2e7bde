// Keeps what is counted and renders it. Thread-safe: written on the loop, read by the server's thread.
public import CoreMetrics
import Synchronization

/// A backend of swift-metrics that renders Prometheus' text format 0.0.4
/// (prometheus.io/docs/instrumenting/exposition_formats, "Text-based format").
///
/// A label of swift-metrics is the metric's name; dimensions are its labels. Counters end in `_total`; recorders and
/// timers become histograms, timers in seconds.
public final class PrometheusRegistry: MetricsFactory {
    /// Bounds of histograms, seconds.
    static let bounds: [Double] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 1800, 3600]

    private let families = Mutex<[String: Family]>([:])
    private let help: [String: String]
    private let maxSeries: Int

    /// - help: by name of the metric.
    /// - maxSeries: of one metric; what would be more is not kept.
    public init(help: [String: String] = [:], maxSeries: Int = 5000) {
        self.help = help
        self.maxSeries = maxSeries
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter)
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        series(label, dimensions, .counter)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        series(label, dimensions, aggregate ? .histogram : .gauge)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram)
    }

    // Counted is counted: handles come and go, the figures stay.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    private func series(_ name: String, _ dimensions: [(String, String)], _ kind: Series.Kind) -> Series {
        let labels = PrometheusText.labels(dimensions)
        return families.withLock { families in
            var family = families[name] ?? Family(kind: kind)
            if let known = family.series[labels], known.kind == kind { return known }
            let made = Series(kind: kind, bounds: Self.bounds)
            guard family.kind == kind, family.series.count < maxSeries else { return made }
            family.series[labels] = made
            families[name] = family
            return made
        }
    }

    /// All metrics, by name.
    public func rendered() -> String {
        let now = families.withLock { $0 }
        var text = ""
        for (name, family) in now.sorted(by: { $0.key < $1.key }) {
            if let help = help[name] { text += "# HELP \(name) \(PrometheusText.escapedHelp(help))\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                PrometheusText.write(series.snapshot, name: name, labels: labels, bounds: Self.bounds, into: &text)
            }
        }
        return text
    }

    private struct Family {
        let kind: Series.Kind
        var series: [String: Series] = [:]
    }
}
