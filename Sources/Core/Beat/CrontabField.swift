// One field of a crontab expression: text to a set of values (celery-protocol.md §8.4).

/// Why a schedule is refused; says what to write instead.
public struct ScheduleError: Error, Equatable, CustomStringConvertible {
    public let description: String
    public let fix: String

    init(_ description: String, fix: String) {
        self.description = description
        self.fix = fix
    }
}

/// Which values a field may have, and what it is called.
struct CrontabField {
    let name: String
    let values: ClosedRange<Int>

    static let minute = CrontabField(name: "minute", values: 0...59)
    static let hour = CrontabField(name: "hour", values: 0...23)
    static let dayOfMonth = CrontabField(name: "day of month", values: 1...31)
    static let month = CrontabField(name: "month", values: 1...12)
    static let dayOfWeek = CrontabField(name: "day of week", values: 0...6)

    func parse(_ text: Substring) throws(ScheduleError) -> Set<Int> {
        var found: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            found.formUnion(try values(ofPart: part))
        }
        return found
    }

    private func values(ofPart part: Substring) throws(ScheduleError) -> [Int] {
        let pieces = part.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let what = pieces.first, !what.isEmpty else {
            throw refusal("is empty, or has an empty part", "write `*`, a value, or a range such as 1-5")
        }
        let ends = what.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let list: [Int]
        if what == "*" {
            list = Array(values)
        } else if ends.count == 2 {
            let (from, to) = (try value(ends[0]), try value(ends[1]))
            // From Friday to Monday goes over the end of the week.
            list =
                from <= to
                ? Array(from...to) : Array(from...values.upperBound) + Array(values.lowerBound...to)
        } else {
            list = [try value(what)]
        }
        guard pieces.count == 2 else { return list }
        guard what == "*" || ends.count == 2 else {
            throw refusal("has a step after a single value: \(part)", "write */\(pieces[1]), or a range before the /")
        }
        guard let step = number(pieces[1]), step > 0 else {
            throw refusal("has no step after the /: \(part)", "write a number from 1 on")
        }
        return stride(from: 0, to: list.count, by: min(step, list.count)).map { list[$0] }
    }

    private func value(_ text: Substring) throws(ScheduleError) -> Int {
        guard let value = number(text) ?? Self.named(text) else {
            throw refusal("is none of its values: `\(text)`", fix)
        }
        guard values.contains(value) else { throw refusal("cannot be \(text)", fix) }
        return value
    }

    private var fix: String {
        let names = name == Self.dayOfWeek.name ? " (0 is Sunday) or sun…sat" : ""
        return "write \(values.lowerBound)…\(values.upperBound)\(names)"
    }

    private func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text) ?? Int.max
    }

    /// The first three letters count, in any field: so does Celery.
    private static func named(_ text: Substring) -> Int? {
        let short = text.prefix(3).lowercased()
        if let month = months.firstIndex(of: short) { return month + 1 }
        return weekdays.firstIndex(of: short)
    }

    static let months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    private func refusal(_ what: String, _ fix: String) -> ScheduleError {
        ScheduleError("the \(name) \(what)", fix: fix)
    }
}
