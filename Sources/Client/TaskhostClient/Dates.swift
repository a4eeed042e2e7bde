// Dates as Celery writes and reads them.
import CeleryWire
import FoundationEssentials
import TaskModel

extension Date {
    /// ISO 8601 with microseconds and offset.
    var celeryText: String { ISO8601.format(WallTime(secondsSince1970: timeIntervalSince1970)) }

    /// nil: no ISO 8601 time.
    init?(celeryText: String) {
        guard let time = ISO8601.parse(celeryText) else { return nil }
        self.init(timeIntervalSince1970: time.secondsSince1970)
    }
}
