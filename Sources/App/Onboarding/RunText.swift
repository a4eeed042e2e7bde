// What `taskhost run` prints: the result to standard output, what became of the task and what it cost to standard error.
package import Output
import Ports
package import TaskModel
package import TaskhostJSON

package enum RunText {
    package static func status(_ reports: [RunReport]) -> ExitStatus {
        reports.allSatisfy { if case .success = $0.outcome { true } else { false } } ? .success : .failure
    }

    // ---- people ----

    package static func people(_ reports: [RunReport]) {
        guard let last = reports.last else { return }
        if case .success(let bytes) = last.outcome { Console.out(Console.plain(json(bytes))) }
        guard reports.count > 1 else { return single(last) }
        let states = counts(reports).map { "\($0.count) \($0.state)" }.joined(separator: ", ")
        let times = reports.map { Double($0.usage.wallMicroseconds) / 1e6 }.sorted()
        Console.note("\(reports.count) runs: \(states)")
        Console.note(
            "\(DurationText.measured(times[0])) at least, \(DurationText.measured(times[times.count / 2])) in the middle, "
                + "\(DurationText.measured(times[times.count - 1])) at most; "
                + memory(reports.map(\.usage.maxResidentKiB).max() ?? 0))
        let others = reports.filter { state($0.outcome) != "SUCCESS" }
        for report in others.prefix(3) { Console.note(verdict(report.outcome)) }
    }

    private static func single(_ report: RunReport) {
        Console.note("\(verdict(report.outcome))\n\(usage(report))")
    }

    private static func usage(_ report: RunReport) -> String {
        let usage = report.usage
        func time(_ microseconds: UInt64) -> String { DurationText.measured(Double(microseconds) / 1e6) }
        let swept = report.swept == 0 ? "" : "; \(report.swept) processes that it left were killed"
        return "took \(time(usage.wallMicroseconds)), CPU \(time(usage.userMicroseconds)) and "
            + "\(time(usage.systemMicroseconds)) in the kernel, \(memory(usage.maxResidentKiB))\(swept)"
    }

    private static func memory(_ kibibytes: UInt64) -> String {
        "\(Double(kibibytes * 10 / 1024) / 10) MiB of memory at most"
    }

    private static func verdict(_ outcome: Outcome) -> String {
        switch outcome {
        case .success: "SUCCESS"
        case .failure(let failure):
            "FAILURE: \(failure.type): \(message(failure))" + traceback(failure)
        case .retry(let request):
            "RETRY" + (request.countdown.map { " in \($0.plain) s" } ?? ", after the task's own delay")
                + (request.cause.map { ": \($0.type): \(message($0))" } ?? "")
        case .ignore: "IGNORED: it is done, and no result is stored"
        case .reject(let reason, let requeue): "REJECTED\(requeue ? ", back to its queue" : ""): \(reason)"
        case .replace(let signature): "REPLACED by \(String(decoding: signature, as: UTF8.self))"
        case .hardLimit(let seconds): "FAILURE: TimeLimitExceeded: killed at its hard limit of \(seconds.plain) s"
        case .memoryLimit(let excess):
            "FAILURE: killed with \(excess.residentKiB / 1024) MiB, above its limit of \(excess.limitMebibytes) MiB"
        case .terminated(let signal): "REVOKED: ended by \(SignalName.of(signal) ?? "signal \(signal)")"
        case .died(let death): self.death(death)
        case .notStarted: "NOT STARTED: its child ended before"
        case .suspect(_, let why): "CRASHED: \(why)"
        case .runnerFault(let why): "NOT RUN: \(why)"
        }
    }

    /// One that says no more than the message is left out.
    private static func traceback(_ failure: TaskFailure) -> String {
        let text = (failure.traceback ?? "").split(separator: "\n")
        return text == ["\(failure.type): \(message(failure))"] ? "" : text.map { "\n\($0)" }.joined()
    }

    private static func death(_ death: Death) -> String {
        let cause =
            switch death.cause {
            case .signal(let number): "by \(SignalName.of(number) ?? "signal \(number)")"
            case .exit(let status): "with exit status \(status), without a result"
            case .protocolViolation(let what): "for what it wrote to the host's socket: \(what)"
            case .zygoteLost(_, let how): "with its zygote: \(how)"
            }
        let stack = death.stack.prefix(20).map { "\n  \($0)" }.joined()
        return "CRASHED: its process ended \(cause). A worker tries such a message again, then puts it aside\(stack)"
    }

    // ---- programs ----

    package static func json(_ task: String, _ reports: [RunReport]) -> JSON {
        guard let last = reports.last, reports.count > 1 else {
            return .object([JSONMember(key: "task", value: .string(task))] + (reports.last.map(members) ?? []))
        }
        let states = counts(reports).map { JSONMember(key: $0.state, value: .int(Int64($0.count))) }
        return .object(
            [
                JSONMember(key: "task", value: .string(task)),
                JSONMember(key: "runs", value: .int(Int64(reports.count))),
                JSONMember(key: "states", value: .object(states)),
                JSONMember(
                    key: "all_seconds",
                    value: .array(reports.map { .double(Double($0.usage.wallMicroseconds) / 1e6) })),
            ] + members(last))
    }

    private static func members(_ report: RunReport) -> [JSONMember] {
        func seconds(_ key: String, _ microseconds: UInt64) -> JSONMember {
            JSONMember(key: key, value: .double(Double(microseconds) / 1e6))
        }
        var result = JSON.null
        var traceback = JSON.null
        switch report.outcome {
        case .success(let bytes): result = json(bytes)
        case .failure(let failure):
            result = .object([
                JSONMember(key: "exc_type", value: .string(failure.type)),
                JSONMember(key: "exc_message", value: json(failure.arguments)),
                JSONMember(key: "exc_module", value: .string(failure.module)),
            ])
            traceback = failure.traceback.map(JSON.string) ?? .null
        default: break
        }
        return [
            JSONMember(key: "state", value: .string(state(report.outcome))), JSONMember(key: "result", value: result),
            JSONMember(key: "traceback", value: traceback),
            JSONMember(key: "verdict", value: .string(verdict(report.outcome))),
            seconds("seconds", report.usage.wallMicroseconds), seconds("user_seconds", report.usage.userMicroseconds),
            seconds("system_seconds", report.usage.systemMicroseconds),
            JSONMember(key: "max_resident_kib", value: .int(Int64(report.usage.maxResidentKiB))),
            JSONMember(key: "output", value: .string(String(decoding: report.output, as: UTF8.self))),
            JSONMember(key: "processes_killed", value: .int(Int64(report.swept))),
        ]
    }

    // ---- both ----

    private static func state(_ outcome: Outcome) -> String {
        switch outcome {
        case .success: "SUCCESS"
        case .retry: "RETRY"
        case .ignore: "IGNORED"
        case .reject: "REJECTED"
        case .replace: "REPLACED"
        case .terminated: "REVOKED"
        case .died, .suspect: "CRASHED"
        case .notStarted, .runnerFault: "NOT_RUN"
        case .failure, .hardLimit, .memoryLimit: "FAILURE"
        }
    }

    private static func counts(_ reports: [RunReport]) -> [(state: String, count: Int)] {
        Dictionary(grouping: reports) { state($0.outcome) }.map { ($0.key, $0.value.count) }.sorted { $0.1 > $1.1 }
    }

    private static func message(_ failure: TaskFailure) -> String {
        let arguments = json(failure.arguments).elements ?? []
        guard arguments.count == 1, let only = arguments.first else { return Console.text(.array(arguments)) }
        return Console.plain(only)
    }

    private static func json(_ bytes: [UInt8]) -> JSON {
        do {
            return try JSON(parsing: bytes, limits: .trusted)
        } catch {
            return .string(String(decoding: bytes, as: UTF8.self))
        }
    }
}
