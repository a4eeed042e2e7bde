// What must outlive a leader: from when each entry's next due time counts.
import TaskModel
import TaskhostJSON

public struct BeatMemory: Sendable, Equatable {
    struct Run: Sendable, Equatable {
        /// The last due time that was sent, or when the entry was first seen.
        var last: WallTime
        /// Messages sent.
        var count: Int64
        /// Under another one the entry starts again: due times of a rule before it held were not missed.
        var zone: String
        /// `Schedule.ruleText`, likewise; nil: written before it was remembered.
        var rule: String?
        /// Since when it is missing from the schedule of all leaders; nil: it is in the schedule.
        var forgottenAt: WallTime?
    }

    var runs: [String: Run] = [:]

    public init() {}

    /// nil: written by something else.
    public init?(_ bytes: [UInt8]) {
        guard let members = Self.members(bytes) else { return nil }
        for member in members {
            guard let fields = member.value.elements, fields.count >= 3, let last = fields[0].integer,
                let count = fields[1].integer, let zone = fields[2].text
            else { return nil }
            let forgotten = fields.count > 3 ? fields[3].integer.map(WallTime.init(microseconds:)) : nil
            runs[member.key] = Run(
                last: WallTime(microseconds: last), count: count, zone: zone,
                rule: fields.count > 4 ? fields[4].text : nil, forgottenAt: forgotten)
        }
    }

    /// A JSON object: for each entry's name microseconds since 1970, how many were sent, time zone, since when it is
    /// forgotten (null: it is not), and its rule.
    public var bytes: [UInt8] {
        let members = runs.sorted { $0.key < $1.key }.map { name, run -> JSONMember in
            let forgotten = run.forgottenAt.map { JSON.int($0.microseconds) } ?? .null
            let rule = run.rule.map(JSON.string) ?? .null
            return JSONMember(
                key: name,
                value: .array([.int(run.last.microseconds), .int(run.count), .string(run.zone), forgotten, rule]))
        }
        var out: [UInt8] = []
        JSON.object(members).write(into: &out)
        return out
    }

    private static func members(_ bytes: [UInt8]) -> [JSONMember]? {
        do {
            return try JSON(parsing: bytes).members
        } catch {
            return nil
        }
    }
}
