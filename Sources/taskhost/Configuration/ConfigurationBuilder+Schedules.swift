// `[schedules.NAME]`: tasks that beat sends.
import Beat
import CeleryWire
import TaskModel
import TaskhostJSON

/// A schedule and the message it sends.
struct ScheduledTask: Sendable, Equatable {
    var entry: BeatEntry
    var task: String
    var args: [JSON] = []
    var kwargs: [JSONMember] = []
    /// nil: by the routes.
    var queue: String?
    var priority: UInt8?
    /// Seconds from sending.
    var expires: Double?
    /// In words: "every 10 s", "30 7 * * mon-fri".
    var text: String
}

extension ConfigurationBuilder {
    /// Those that say what to send. The others are about schedules of bundles.
    func schedules() throws(CommandFailure) -> [ScheduledTask] {
        var made: [ScheduledTask] = []
        for name in settings.names(under: "schedules") {
            if case .flag(false)? = value(name, "enabled") { continue }
            if let task = text(name, "task") { made.append(try schedule(name, task)) }
        }
        return made
    }

    private func schedule(_ name: String, _ task: String) throws(CommandFailure) -> ScheduledTask {
        let missed = text(name, "missed").flatMap(MissedRuns.init(rawValue:)) ?? .once
        let (rule, clock, words) = try rule(name)
        let entry = BeatEntry(name, schedule: Schedule(rule, clock: clock), missed: missed)
        var made = ScheduledTask(entry: entry, task: task, text: words)
        if case .list(let values)? = value(name, "args") { made.args = values.map(\.asJSON) }
        if case .arguments(let table)? = value(name, "kwargs") {
            made.kwargs = table.fields.map { JSONMember(key: $0.key, value: $0.value.asJSON) }
        }
        made.queue = text(name, "queue")
        if case .integer(let priority)? = value(name, "priority") { made.priority = UInt8(clamping: priority) }
        if case .seconds(let seconds)? = value(name, "expires") { made.expires = seconds }
        return made
    }

    private func rule(_ name: String) throws(CommandFailure) -> (Schedule.Rule, LocalClock, String) {
        let clock = try clock(name)
        let zone = clock == .utc ? "" : " (\(clock.name))"
        var isRelative = false
        if case .flag(let flag)? = value(name, "relative") { isRelative = flag }
        var every: Double?
        if case .seconds(let seconds)? = value(name, "every") { every = seconds }
        let (cron, at) = (text(name, "cron"), text(name, "at"))
        let event = text(name, "solar").flatMap(Solar.Event.init(rawValue:))
        if event == nil, let key = ["latitude", "longitude"].first(where: { value(name, $0) != nil }) {
            throw .configuration("\(origin(name, key)): a place is for `solar`", fix: "leave it out")
        }
        if isRelative, every == nil {
            throw .configuration("\(origin(name, "relative")): relative is about `every`", fix: "leave it out")
        }
        switch (cron, every, at, event) {
        case (let cron?, nil, nil, nil):
            do {
                return (.cron(try Crontab(cron)), clock, cron + zone)
            } catch {
                throw .configuration("\(origin(name, "cron")): \(error.description)", fix: error.fix)
            }
        case (nil, let seconds?, nil, nil):
            do {
                let interval = try Interval(seconds: seconds, isRelative: isRelative)
                return (.every(interval), clock, "every \(seconds.plain) s" + (isRelative ? ", on round times" : ""))
            } catch {
                throw .configuration("\(origin(name, "every")): \(error.description)", fix: error.fix)
            }
        case (nil, nil, nil, let event?):
            return (.solar(try solar(event, name)), clock, "\(event.rawValue)" + zone)
        case (nil, nil, let text?, nil):
            guard let time = ISO8601.parse(text) else {
                throw .configuration(
                    "\(origin(name, "at")): no time \"\(text)\"", fix: "write it as \"2027-01-31T08:00:00\"")
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
        guard case .number(let latitude)? = value(name, "latitude"),
            case .number(let longitude)? = value(name, "longitude")
        else {
            throw .configuration(
                "\(origin(name, "solar")): it does not say where", fix: "add latitude and longitude, in degrees")
        }
        do {
            return try Solar(event, latitude: latitude, longitude: longitude)
        } catch {
            throw .configuration("\(origin(name, "solar")): \(error.description)", fix: error.fix)
        }
    }

    private func clock(_ name: String) throws(CommandFailure) -> LocalClock {
        guard let zone = text(name, "timezone") else { return .utc }
        if zone == "local" { return .system }
        guard let clock = LocalClock(zone) else {
            throw .configuration(
                "\(origin(name, "timezone")): no time zone \"\(zone)\"",
                fix: "write a name such as \"Europe/Berlin\", \"UTC\", or \"local\"")
        }
        return clock
    }

    private func value(_ name: String, _ key: String) -> SettingValue? { settings[["schedules", name, key]]?.value }

    private func text(_ name: String, _ key: String) -> String? {
        if case .text(let text)? = value(name, key) { text } else { nil }
    }

    private func origin(_ name: String, _ key: String) -> String {
        settings[["schedules", name, key]]?.origin ?? "[schedules.\(name)]"
    }
}

extension FieldValue {
    /// What a settings file can hold, as a task gets it.
    fileprivate var asJSON: JSON {
        switch self {
        case .string(let text): .string(text)
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(number)
        case .double(let number): .double(number)
        case .array(let values): .array(values.map(\.asJSON))
        case .table(let table): .object(table.fields.map { JSONMember(key: $0.key, value: $0.value.asJSON) })
        default: .null
        }
    }
}
