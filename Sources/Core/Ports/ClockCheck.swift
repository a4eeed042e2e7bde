// The clock of a server against ours.

/// One question to a server that tells its time. Seconds since 1970.
public struct ClockSample: Sendable {
    public var theirs: Double
    /// By so much it may be off, one way or the other, as its resolution is no finer.
    public var coarse: Double
    /// By our clock; it was read somewhere between.
    public var asked: Double
    public var answered: Double

    public init(theirs: Double, coarse: Double, asked: Double, answered: Double) {
        self.theirs = theirs
        self.coarse = coarse
        self.asked = asked
        self.answered = answered
    }

    /// Theirs minus ours.
    public var ahead: Double { theirs - (asked + answered) / 2 }
    public var uncertainty: Double { coarse + (answered - asked) / 2 }
}

public enum ClockCheck {
    /// A clock that is followed is never off by so much, in seconds.
    private static let bound = 1.0

    /// - Parameters:
    ///   - place: "amqp://127.0.0.1:5672//".
    ///   - harm: what is wrong if they differ.
    public static func finding(ahead: Double, uncertainty: Double, place: String, harm: String) -> Finding {
        guard abs(ahead) > bound + uncertainty else { return .ok("clock", "agrees with that of \(place)") }
        let shown = (abs(ahead) * 10).rounded() / 10
        return .warn(
            "clock", "that of \(place) is \(shown) s \(ahead > 0 ? "ahead of" : "behind") ours: \(harm)",
            fix: "let both machines follow a time server (chrony, systemd-timesyncd)")
    }
}
