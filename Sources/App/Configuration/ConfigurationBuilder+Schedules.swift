// `[schedules.NAME]`: tasks that beat sends.
package import Beat
import CeleryWire
import Output
import Settings
import TaskModel
package import TaskhostJSON

/// A schedule and the message it sends.
package struct ScheduledTask: Sendable, Equatable {
    package var entry: BeatEntry
    package var task: String
    package var args: [JSON] = []
    package var kwargs: [JSONMember] = []
    /// nil: by the routes.
    package var queue: String?
    package var priority: UInt8?
    /// Seconds from sending.
    package var expires: Double?
    /// In words: "every 10 s", "30 7 * * mon-fri".
    package var text: String
}

extension ConfigurationBuilder {
    /// Those that say what to send. The others are about schedules of bundles.
    func schedules() throws(CommandFailure) -> [ScheduledTask] {
        var made: [ScheduledTask] = []
        for name in settings.names(under: "schedules") {
            guard settings[Settings.schedules.enabled, of: name] else { continue }
            if let task = settings[Settings.schedules.task, of: name] { made.append(try schedule(name, task)) }
        }
        return made
    }

    /// Switched off, whichever bundle has them.
    func disabledSchedules() -> Set<String> {
        Set(settings.names(under: "schedules").filter { !settings[Settings.schedules.enabled, of: $0] })
    }

    private func schedule(_ name: String, _ task: String) throws(CommandFailure) -> ScheduledTask {
        let keys = Settings.schedules
        let (rule, clock, words) = try rule(name)
        let entry = BeatEntry(
            name, schedule: Schedule(rule, clock: clock), missed: settings[keys.missed, of: name])
        var made = ScheduledTask(entry: entry, task: task, text: words)
        made.args = settings[keys.args, of: name].values.map(\.json)
        made.kwargs = settings[keys.kwargs, of: name].fields.map { JSONMember(key: $0.key, value: $0.value.json) }
        made.queue = settings[keys.queue, of: name]
        made.priority = settings[keys.priority, of: name].map { UInt8(clamping: $0) }
        made.expires = settings[keys.expires, of: name]
        return made
    }

    private func rule(_ name: String) throws(CommandFailure) -> (Schedule.Rule, LocalClock, String) {
        let clock = try clock(name)
        let zone = clock == .utc ? "" : " (\(clock.name))"
        let keys = Settings.schedules
        let isRelative = settings[keys.relative, of: name]
        let every = settings[keys.every, of: name]
        let (cron, at) = (settings[keys.cron, of: name], settings[keys.at, of: name])
        let event = settings[keys.solar, of: name]
        if event == nil, let key = [keys.latitude, keys.longitude].first(where: { settings[$0, of: name] != nil }) {
            throw .configuration(
                "\(settings.origin(key, of: name)): a place is for `solar`", fix: "leave it out")
        }
        if isRelative, every == nil {
            throw .configuration(
                "\(settings.origin(keys.relative, of: name)): relative is about `every`", fix: "leave it out")
        }
        switch (cron, every, at, event) {
        case (let cron?, nil, nil, nil):
            do {
                return (.cron(try Crontab(cron)), clock, cron + zone)
            } catch {
                throw .configuration("\(settings.origin(keys.cron, of: name)): \(error.description)", fix: error.fix)
            }
        case (nil, let seconds?, nil, nil):
            do {
                let interval = try Interval(seconds: seconds, isRelative: isRelative)
                return (.every(interval), clock, "every \(seconds.plain) s" + (isRelative ? ", on round times" : ""))
            } catch {
                throw .configuration("\(settings.origin(keys.every, of: name)): \(error.description)", fix: error.fix)
            }
        case (nil, nil, nil, let event?):
            return (.solar(try solar(event, name)), clock, "\(event.rawValue)" + zone)
        case (nil, nil, let text?, nil):
            guard let time = ISO8601.parse(text) else {
                throw .configuration(
                    "\(settings.origin(keys.at, of: name)): no time \"\(text)\"",
                    fix: "write it as \"2027-01-31T08:00:00\"")
            }
            let clockPart = text.drop { $0 != "T" && $0 != " " }
            let saysOffset = clockPart.contains { "Z+-".contains($0) }
            return (.at(saysOffset ? time : clock.time(showing: time)), clock, "once, \(text)" + zone)
        default:
            throw .configuration(
                "[schedules.\(name)] must say when, in one way", fix: "write one of cron, every, at and solar")
        }
    }

    private func solar(_ event: Solar.Event, _ name: String) throws(CommandFailure) -> Solar {
        guard let latitude = settings[Settings.schedules.latitude, of: name],
            let longitude = settings[Settings.schedules.longitude, of: name]
        else {
            throw .configuration(
                "\(settings.origin(Settings.schedules.solar, of: name)): it does not say where",
                fix: "add latitude and longitude, in degrees")
        }
        do {
            return try Solar(event, latitude: latitude, longitude: longitude)
        } catch {
            throw .configuration(
                "\(settings.origin(Settings.schedules.solar, of: name)): \(error.description)", fix: error.fix)
        }
    }

    private func clock(_ name: String) throws(CommandFailure) -> LocalClock {
        guard let zone = settings[Settings.schedules.timezone, of: name] else { return .utc }
        if zone == "local" { return .system }
        guard let clock = LocalClock(zone) else {
            throw .configuration(
                "\(settings.origin(Settings.schedules.timezone, of: name)): no time zone \"\(zone)\"",
                fix: "write a name such as \"Europe/Berlin\", \"UTC\", or \"local\"")
        }
        return clock
    }
}
