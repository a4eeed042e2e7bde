// The clock of a server against ours. Pure, save for `ClockSample.now`.
import Foundation

/// One question to a server that tells its time. Seconds since 1970.
struct ClockSample {
    var theirs: Double
    /// By so much it may be off, one way or the other, as it is not told more finely.
    var coarse: Double
    /// By our clock; it was read somewhere between.
    var asked: Double
    var answered: Double

    static func now() -> Double { Date().timeIntervalSince1970 }

    /// Theirs minus ours.
    var ahead: Double { theirs - (asked + answered) / 2 }
    var uncertainty: Double { coarse + (answered - asked) / 2 }
}

enum ClockCheck {
    /// A clock that is followed is never off by so much, in seconds.
    private static let bound = 1.0

    /// - Parameters:
    ///   - place: "amqp://127.0.0.1:5672//".
    ///   - harm: what is wrong if they differ.
    static func finding(ahead: Double, uncertainty: Double, place: String, harm: String) -> Finding {
        guard abs(ahead) > bound + uncertainty else { return .ok("clock", "agrees with that of \(place)") }
        let shown = String(format: "%.1f", abs(ahead))
        return .warn(
            "clock", "that of \(place) is \(shown) s \(ahead > 0 ? "ahead of" : "behind") ours: \(harm)",
            fix: "let both machines follow a time server (chrony, systemd-timesyncd)")
    }
}
