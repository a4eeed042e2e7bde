// Sunrise, noon, dusk and the like at a place, as Celery has them (celery-protocol.md §8.6).
public import TaskModel

public struct Solar: Sendable, Equatable {
    public enum Event: String, Sendable, CaseIterable {
        case dawnAstronomical = "dawn_astronomical"
        case dawnNautical = "dawn_nautical"
        case dawnCivil = "dawn_civil"
        case sunrise
        case solarNoon = "solar_noon"
        case sunset
        case duskCivil = "dusk_civil"
        case duskNautical = "dusk_nautical"
        case duskAstronomical = "dusk_astronomical"
    }

    public let event: Event
    /// Degrees, north and east are above zero.
    public let latitude: Double
    public let longitude: Double

    public init(_ event: Event, latitude: Double, longitude: Double) throws(ScheduleError) {
        guard (-90...90).contains(latitude) else {
            throw ScheduleError("there is no latitude \(latitude)", fix: "write degrees from -90 (south) to 90 (north)")
        }
        guard (-180...180).contains(longitude) else {
            throw ScheduleError(
                "there is no longitude \(longitude)", fix: "write degrees from -180 (west) to 180 (east)")
        }
        self.event = event
        self.latitude = latitude
        self.longitude = longitude
    }

    /// Days on which the event may fail to occur, one after the other: it comes back within a year anywhere.
    private static let searchedDays = 366

    /// The first time after `last`; days on which the sun does not do that are passed over.
    public func next(after last: WallTime) -> WallTime? {
        // The half days around the noon before, so that none is left out.
        var noon = transit(near: last.advanced(bySeconds: -86_400))
        for _ in 0...Self.searchedDays + 1 {
            if let time = time(around: noon), time > last { return time }
            noon = transit(near: noon.advanced(bySeconds: 86_400))
        }
        return nil
    }

    /// On the day that has this noon in its middle; nil: not on this day.
    private func time(around noon: WallTime) -> WallTime? {
        let isMorning: Bool
        switch event {
        case .solarNoon: return noon
        case .dawnAstronomical, .dawnNautical, .dawnCivil, .sunrise: isMorning = true
        case .sunset, .duskCivil, .duskNautical, .duskAstronomical: isMorning = false
        }
        let midnights = [noon.advanced(bySeconds: -43_200), noon.advanced(bySeconds: 43_200)]
        // At the poles the sun rises slowly over days, and may do so in the second half of one.
        return crossing(midnights[0], noon, upwards: isMorning) ?? crossing(noon, midnights[1], upwards: isMorning)
    }

    /// When the sun crosses the event's height between two times, in that direction.
    private func crossing(_ start: WallTime, _ end: WallTime, upwards: Bool) -> WallTime? {
        var (before, after) = (start, end)
        guard (height(at: before) < 0) == upwards, (height(at: after) < 0) != upwards else { return nil }
        while after.microseconds - before.microseconds > 1000 {
            let middle = WallTime(microseconds: (after.microseconds + before.microseconds) / 2)
            if (height(at: middle) < 0) == upwards { before = middle } else { after = middle }
        }
        return after
    }

    /// How far the sun is above the height that makes the event: of its centre, or of its upper edge.
    private func height(at time: WallTime) -> Double {
        let sun = SunPosition(at: time)
        let altitude = sun.altitude(latitude: latitude, longitude: longitude)
        return switch event {
        case .dawnAstronomical, .duskAstronomical: altitude + 18
        case .dawnNautical, .duskNautical: altitude + 12
        case .dawnCivil, .duskCivil: altitude + 6
        case .sunrise, .sunset: altitude + sun.radius + 34.0 / 60
        case .solarNoon: altitude
        }
    }

    /// When the sun crosses the meridian, at most half a day from `time`.
    private func transit(near time: WallTime) -> WallTime {
        var found = time
        for _ in 0..<4 {
            let angle = SunPosition(at: found).hourAngle(longitude: longitude)
            found = found.advanced(bySeconds: -angle / 360 * 86_400)
        }
        return found
    }
}
