/// Exit statuses, as `taskhost --help` and docs/cli.md list them. The larger ones are those of sysexits.h.
enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    case failure = 1
    case usage = 64
    case unavailable = 69
    case cannotCreate = 73
    case notYet = 75
    case configuration = 78
    case timedOut = 124

    var meaning: String {
        switch self {
        case .success: "done; `worker`: stopped by TERM or QUIT; `call --wait`: the task succeeded"
        case .failure: "the task failed or was revoked; a bundle was refused; `worker` stopped by INT or by an error"
        case .usage: "wrong options or arguments"
        case .unavailable: "broker or result store cannot be reached, or refuse us"
        case .cannotCreate: "pid file held by another process, or not writable"
        case .notYet: "`result`: nothing known of the task yet, or it is still under way"
        case .configuration: "wrong setting, unsafe plugins folder, or a part of the installation is missing"
        case .timedOut: "`--wait=SECONDS` ran out; the task goes on"
        }
    }

    static var table: String {
        allCases.map { status in
            let number = String(status.rawValue)
            return "  " + number + String(repeating: " ", count: 5 - number.count) + status.meaning
        }.joined(separator: "\n")
    }
}
