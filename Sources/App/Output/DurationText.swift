import Linux

/// Durations as people read them.
package enum DurationText {
    /// How long something took: "850 µs", "12.3 ms", "4.56 s".
    package static func measured(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.001: "\(Int((seconds * 1e6).rounded())) µs"
        case ..<1: "\(tenths(seconds * 1e3)) ms"
        default: "\((seconds * 100).rounded() / 100) s"
        }
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

    /// How long something has lasted so far: "0.4s", "12s", "5m 07s", "3h 12m", "4d 2h".
    package static func age(_ seconds: Double) -> String {
        if seconds < 10 { return seconds.text(decimals: 1) + "s" }
        let whole = Int(min(seconds, 1e12))
        switch whole {
        case ..<60: return "\(whole)s"
        case ..<3600: return "\(whole / 60)m \(whole % 60 < 10 ? "0" : "")\(whole % 60)s"
        case ..<86400: return "\(whole / 3600)h \(whole % 3600 / 60)m"
        default: return "\(whole / 86400)d \(whole % 86400 / 3600)h"
        }
    }
}
