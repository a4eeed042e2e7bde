import ArgumentParser
import CeleryWire
import TaskModel

/// `--wait[=seconds]`.
struct WaitTime: ExpressibleByArgument, Sendable, Equatable {
    static let forever = "forever"

    /// nil: without end.
    var seconds: Double?

    init?(argument: String) {
        if argument == Self.forever { return }
        guard let seconds = Double(argument), seconds >= 0, seconds.isFinite else { return nil }
        self.seconds = seconds
    }
}

/// A point in time: ISO 8601 ("2027-01-31T08:00:00+01:00"; without offset: UTC).
struct PointInTime: ExpressibleByArgument, Sendable, Equatable {
    var time: WallTime

    init?(argument: String) {
        guard let time = ISO8601.parse(argument) else { return nil }
        self.time = time
    }
}

/// Seconds from now, or a point in time.
struct Expiry: ExpressibleByArgument, Sendable, Equatable {
    enum Form: Sendable, Equatable {
        case after(Double)
        case at(WallTime)
    }

    var form: Form

    init?(argument: String) {
        if let seconds = Double(argument), seconds >= 0, seconds.isFinite {
            form = .after(seconds)
        } else if let time = ISO8601.parse(argument) {
            form = .at(time)
        } else {
            return nil
        }
    }

    func time(now: WallTime) -> WallTime {
        switch form {
        case .after(let seconds): now.advanced(bySeconds: seconds)
        case .at(let time): time
        }
    }
}
