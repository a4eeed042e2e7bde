// Where the sun stands: J. Meeus, Astronomical Algorithms, 2nd edition, chapters 12, 22 and 25 (low accuracy, 0.01°),
// which NOAA's solar calculator is built on, too.
import Glibc
import TaskModel

/// At one instant, seen from the centre of the earth. Angles in degrees.
struct SunPosition {
    /// East of the meridian of the spring point.
    let rightAscension: Double
    let declination: Double
    /// Of the sun's disc.
    let radius: Double
    /// How far the meridian of Greenwich is from that of the spring point.
    let siderealTime: Double

    /// Seconds that the earth's rotation is behind atomic time: 69 in 2025, and 75 at most by 2050.
    private static let clockDifference = 70.0

    init(at time: WallTime) {
        // Days and centuries since noon of 2000-01-01.
        let days = (time.secondsSince1970 - 946_728_000) / 86_400
        let centuries = (days + Self.clockDifference / 86_400) / 36_525
        let meanLongitude = 280.46646 + centuries * (36_000.76983 + centuries * 0.0003032)
        let anomaly = 357.52911 + centuries * (35_999.05029 - centuries * 0.0001537)
        let centre =
            (1.914602 - centuries * (0.004817 + centuries * 0.000014)) * sine(anomaly)
            + (0.019993 - centuries * 0.000101) * sine(2 * anomaly) + 0.000289 * sine(3 * anomaly)
        let eccentricity = 0.016708634 - centuries * (0.000042037 + centuries * 0.0000001267)
        let distance = 1.000001018 * (1 - eccentricity * eccentricity) / (1 + eccentricity * cosine(anomaly + centre))
        let node = 125.04 - 1934.136 * centuries
        let longitude = meanLongitude + centre - 0.00569 - 0.00478 * sine(node)
        let meanObliquity = 23.4392911 - centuries * (0.0130042 + centuries * 0.00000016)
        let obliquity = meanObliquity + 0.00256 * cosine(node)
        rightAscension = degrees(atan2(cosine(obliquity) * sine(longitude), cosine(longitude)))
        declination = degrees(asin(sine(obliquity) * sine(longitude)))
        radius = 0.266563 / distance
        let nutation = -0.00478 * sine(node) * cosine(obliquity)
        siderealTime = 280.46061837 + 360.98564736629 * days + 0.000387933 * centuries * centuries + nutation
    }

    /// How far the sun has gone past the meridian of a place, -180…180.
    func hourAngle(longitude: Double) -> Double {
        remainder(siderealTime + longitude - rightAscension, 360)
    }

    /// Of its centre over the horizon of a place, without the air's refraction.
    func altitude(latitude: Double, longitude: Double) -> Double {
        let rise =
            sine(latitude) * sine(declination)
            + cosine(latitude) * cosine(declination) * cosine(hourAngle(longitude: longitude))
        let altitude = degrees(asin(max(-1, min(1, rise))))
        // Seen from the ground it stands a little lower than from the earth's centre.
        return altitude - 0.00244 * cosine(altitude)
    }
}

private func degrees(_ radians: Double) -> Double { radians * 180 / .pi }
private func sine(_ degrees: Double) -> Double { sin(degrees * .pi / 180) }
private func cosine(_ degrees: Double) -> Double { cos(degrees * .pi / 180) }
