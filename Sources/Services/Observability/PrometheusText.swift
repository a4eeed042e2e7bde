// How names, labels and numbers are written in Prometheus' text format.

enum PrometheusText {
    /// `a="b",c="d"`; without braces.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",")
    }

    static func escaped(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": text += "\\\\"
            case "\"": text += "\\\""
            case "\n": text += "\\n"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    static func escapedHelp(_ text: String) -> String {
        text.split(separator: "\\", omittingEmptySubsequences: false).joined(separator: "\\\\")
            .split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    static func write(
        _ figures: Series.Figures, name: String, labels: String, bounds: [Double], into text: inout String
    ) {
        guard !figures.buckets.isEmpty else {
            text += "\(name)\(braced(labels)) \(number(figures.value))\n"
            return
        }
        let before = labels.isEmpty ? "" : labels + ","
        var count: UInt64 = 0
        for (index, bucket) in figures.buckets.enumerated() {
            count += bucket
            let bound = index < bounds.count ? number(bounds[index]) : "+Inf"
            text += "\(name)_bucket{\(before)le=\"\(bound)\"} \(count)\n"
        }
        text += "\(name)_sum\(braced(labels)) \(number(figures.value))\n"
        text += "\(name)_count\(braced(labels)) \(count)\n"
    }

    private static func braced(_ labels: String) -> String { labels.isEmpty ? "" : "{\(labels)}" }
}
