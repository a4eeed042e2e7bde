/// Durations as people read them.
enum Duration {
    /// "850 µs", "12.3 ms", "4.56 s".
    static func text(seconds: Double) -> String {
        switch seconds {
        case ..<0.001: "\(Int((seconds * 1e6).rounded())) µs"
        case ..<1: "\(tenths(seconds * 1e3)) ms"
        default: "\((seconds * 100).rounded() / 100) s"
        }
    }

    private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
