// Unit tests of tasks: a host that remembers what they say, and whose clock is the test's own.
import Glibc
public import TaskhostSDK

#if canImport(TaskhostJSON)
    public import TaskhostJSON
#endif

#if canImport(TaskhostSignature)
    import TaskhostSignature
#endif

/// Calls tasks of a bundle in this process, one at a time.
///
///     let test = TaskTest(TaskBundle("greetings", version: "1") { Greet.self })
///     let outcome = await test.run("greetings.greet", "Ada", keywords: ["times": 2])
///     #expect(outcome.result == ["Hello, Ada!", "Hello, Ada!"])
///
///     test.limit(soft: .seconds(5), hard: .seconds(10))
///     test.advance(by: .seconds(6))                   // the soft limit has come: the task is asked to stop
///     #expect(await test.run("greetings.greet", "Ada").failure?.type == "SoftTimeLimitExceeded")
///
/// It neither forks nor kills nor sends: what needs that is run by `taskhost run`.
public final class TaskTest {
    private let bundle: TaskBundle
    private var now = 0.0
    private var soft = 0.0
    private var hard = 0.0
    /// How often the task was tried before.
    public var retries = 0

    public init(_ bundle: TaskBundle) {
        self.bundle = bundle
    }

    /// nil: none.
    public func limit(soft: Duration? = nil, hard: Duration? = nil) {
        self.soft = soft.map(Self.seconds) ?? 0
        self.hard = hard.map(Self.seconds) ?? 0
    }

    /// Lets time pass.
    public func advance(by time: Duration) { now += Self.seconds(time) }

    /// - Parameter name: as clients call it.
    public func run(_ name: String, _ arguments: JSON..., keywords: [String: JSON] = [:]) async -> Outcome {
        let (status, tasks) = await FakeHost.register(bundle)
        guard status == 0, let task = tasks.first(where: { ($0.optionName ?? $0.name) == name }) else {
            let names = tasks.map { $0.optionName ?? $0.name }.joined(separator: ", ")
            return Outcome(unknown: "the bundle has no task \(name); it has: \(names)")
        }
        let fake = FakeTask(arguments: arguments, keywords: keywords, signature: task.signature)
        fake.number = { [now, soft, hard, retries] which in
            switch UInt32(which) {
            case TASKHOST_NUMBER_RETRIES.rawValue: Double(retries)
            case TASKHOST_NUMBER_STARTS.rawValue: 1
            case TASKHOST_NUMBER_SOFT_LIMIT.rawValue: soft
            case TASKHOST_NUMBER_HARD_LIMIT.rawValue: hard
            case TASKHOST_NUMBER_TIME_LEFT.rawValue: hard > 0 ? hard - now : .infinity
            default: 0
            }
        }
        var ends: [Int32] = [-1, -1]
        if soft > 0, now >= soft, pipe(&ends) == 0 {
            fake.stopsAfterLooks = 1
            fake.stopDescriptor = ends[0]
            // Readable from now on.
            close(ends[1])
        }
        defer { if ends[0] >= 0 { close(ends[0]) } }
        return Outcome(await FakeHost.run(task, fake))
    }

    private static func seconds(_ time: Duration) -> Double {
        Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    }
}

extension TaskTest {
    /// What a task did.
    public struct Outcome: Sendable {
        public enum Ending: String, Sendable {
            case success, failure, retry, reject, ignore, replace
            /// The bundle has no such task, or its arguments do not fit.
            case notRun
        }

        public var ending: Ending
        /// Of a success; the signature of what replaces the task.
        public var result: JSON?
        /// Of a failure, or a retry's reason.
        public var failure: (type: String, message: String)?
        /// Of a retry, in seconds; nil: by the task's policy.
        public var countdown: Double?
        /// "PROGRESS {…}" for each state that was set.
        public var states: [String]
        /// Its log; each begins with the level's number.
        public var lines: [String]
        /// Signatures that were sent, as JSON.
        public var sent: [String]

        init(_ report: Report) {
            let word = report.ending.split(separator: ",").first.map(String.init) ?? "success"
            ending = Ending(rawValue: word) ?? .notRun
            result = ending == .success || ending == .replace ? Self.json(report.value) : nil
            failure = report.type.isEmpty && report.message.isEmpty ? nil : (report.type, report.message)
            countdown = report.countdown.flatMap { $0 < 0 ? nil : $0 }
            states = report.states
            lines = report.lines
            sent = report.sent.compactMap(\.last)
            if ending == .notRun { failure = ("TypeError", "the arguments do not fit") }
        }

        init(unknown why: String) {
            (ending, result, failure, countdown) = (.notRun, nil, ("NotRegistered", why), nil)
            (states, lines, sent) = ([], [], [])
        }

        private static func json(_ text: String) -> JSON {
            do {
                return try JSON(parsing: Array(text.utf8))
            } catch {
                return .string(text)
            }
        }
    }
}

extension FakeTask {
    /// Bound by the names in the signature: "x:Int,y:Int=1->Int". More than it has, or unknown names: they don't fit.
    convenience init(arguments given: [JSON], keywords: [String: JSON], signature: String) {
        let names = Self.names(in: signature)
        self.init(
            bodyBytes: Array("[\(JSON.array(given)),\(JSON.object(sorted: keywords)),{}]".utf8))
        guard given.count <= names.count, keywords.keys.allSatisfy({ names.dropFirst(given.count).contains($0) }) else {
            arguments = nil
            return
        }
        arguments = names.enumerated().map { index, name in
            (index < given.count ? given[index] : keywords[name]).map { "\($0)" }
        }
    }

    private static func names(in signature: String) -> [String] {
        var names: [String] = []
        var word = ""
        var depth = 0
        var isQuoted = false
        var isName = true
        for letter in signature {
            if isQuoted {
                isQuoted = letter != "\""
                continue
            }
            switch letter {
            case "\"": isQuoted = true
            case "[", "{", "(": depth += 1
            case "]", "}", ")": depth -= 1
            case ":", "=": isName = isName && depth > 0
            case "," where depth == 0:
                names.append(word)
                (word, isName) = ("", true)
            case "-" where depth == 0 && isName: isName = false
            default: if isName, depth == 0 { word.append(letter) }
            }
        }
        return word.isEmpty ? names : names + [word]
    }
}
